"""Import Gradio with its analytics and its downloads switched off."""

import os

_SWITCHES = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "GRADIO_RUN_HISTORY": "False",
    "GRADIO_SSR_MODE": "False",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
}
os.environ.update(_SWITCHES)  # read when it is imported: no import of it may come before

import gradio  # noqa: E402
import gradio.processing_utils  # noqa: E402

__all__ = ["gradio"]


async def _refuse(url: str, **_: object) -> str:
    """Refuse what Gradio would do for any visitor: fetch an address and keep the file."""
    raise ValueError(f"expected a file that was sent, found the address {url!r}; send the file")


gradio.processing_utils.async_ssrf_protected_download = _refuse
