"""Requests that are malformed, endless, slow or lying; over raw sockets where a client would not.

Slow request headers are the one row of the table that the service does not hold: uvicorn gives them
no time limit, and a front proxy has to, as ``deploy/README.md`` says.
"""

import asyncio
import gzip
import time

import httpx
import pytest
from fastapi.testclient import TestClient
from pictures import plain
from running import exchange, in_a_thread

from vitrine.serving.api import create_app
from vitrine.serving.settings import Settings

J = plain("red")
ROUTE = "/api/v1/predict"
LIMIT = 300_000


def part(data=J, name="file", filename=b"photo.jpg", kind="image/jpeg", headers=b""):
    """Return one part of a form, whose boundary is ``B``."""
    disposition = f'form-data; name="{name}"'.encode()
    if filename is not None:
        disposition += b'; filename="' + filename + b'"'
    return (
        b"--B\r\nContent-Disposition: " + disposition + b"\r\nContent-Type: " + kind.encode()
        + b"\r\n" + headers + b"\r\n" + data + b"\r\n"
    )  # fmt: skip


def form(*parts, end=b"--B--\r\n"):
    return b"".join(parts) + end


def send(client, body, kind="multipart/form-data; boundary=B"):
    return client.post(ROUTE, content=body, headers={"content-type": kind} if kind else {})


def raw(body, *, length=None, route=ROUTE, extra=b""):
    """Return the bytes of a request that ends its connection."""
    size = len(body) if length is None else length
    return (
        f"POST {route} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        f"Content-Type: multipart/form-data; boundary=B\r\nContent-Length: {size}\r\n"
    ).encode() + extra + b"\r\n" + body  # fmt: skip


@pytest.fixture(scope="module")
def port(model_dir):
    """Return the port of a server with a small limit and little patience."""
    impatient = Settings(
        model_dir=str(model_dir), workers=1, max_upload_bytes=LIMIT, body_timeout_s=1.5
    )
    with in_a_thread(create_app(impatient)) as port:
        yield port


def status(received):
    return int(received.split(b" ", 2)[1])


# What a form may look like


@pytest.mark.parametrize("kind", ["text/plain", "image/png", "application/x-sh", "nonsense"])
def test_the_declared_type_of_a_part_does_not_count(client, kind):
    assert send(client, form(part(filename=b"a.exe", kind=kind))).status_code == 200


@pytest.mark.parametrize(
    "name",
    [
        b"../../etc/passwd", b"C:\\\\windows\\\\x", b"a\0b.jpg", "pre\u0301traitement.jpg".encode(),
        "🛍️.jpg".encode(), b"\xff\xfe", b"x" * 200, b"",
    ],
)  # fmt: skip
def test_the_name_of_a_file_is_neither_used_nor_logged(client, name, caplog):
    with caplog.at_level("DEBUG"):
        answer = send(client, form(part(filename=name)))

    assert answer.status_code == 200
    logged = caplog.text + str([record.__dict__ for record in caplog.records])
    assert not name or name.decode("latin-1") not in logged
    assert not name or name.decode(errors="replace") not in logged


MALFORMED = {
    "a file name of 100 kB": form(part(filename=b"x" * 100_000)),
    "a part header of 1 MB": form(part(filename=b"a", headers=b"X: " + b"x" * 1_000_000 + b"\r\n")),
    "1000 part headers": form(
        part(filename=b"a", headers=b"".join(b"X-%d: y\r\n" % i for i in range(1000)))
    ),
    "two files": form(part(filename=b"a"), part(filename=b"b")),
    "2000 files": form(*[part(b"x", filename=b"a")] * 2000),
    "2000 fields": form(*[part(b"x", name="other", filename=None)] * 2000),
    "a field of 1 MB": form(part(b"x" * 1_000_000, name="note", filename=None)),
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_a_form_out_of_proportion_is_malformed(client, body):
    answer = send(client, body)

    assert (answer.status_code, answer.json()["code"]) == (400, "requete_invalide")


# From Python 3.13, the names of this form in punycode are merely others than "file": 422.
@pytest.mark.parametrize(("charset", "expected"), [("undefined", {400}), ("punycode", {400, 422})])
def test_a_form_in_a_charset_that_decodes_nothing_is_malformed(client, charset, expected):
    answer = send(client, form(part()), f"multipart/form-data; boundary=B; charset={charset}")

    assert answer.status_code in expected
    assert answer.json()["code"] == "requete_invalide"


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        (form(part(name="image", filename=b"a")), "multipart/form-data; boundary=B", 422),
        (form(part(name="file", filename=None)), "multipart/form-data; boundary=B", 422),
        (form(end=b"--B--\r\n"), "multipart/form-data; boundary=B", 422),
        (b"", "multipart/form-data; boundary=B", 422),
        (form(part(filename=b"a"), end=b""), "multipart/form-data; boundary=B", 422),
        (b'{"file": "x"}', "application/json", 422),
        (b"file=x", "application/x-www-form-urlencoded", 422),
        (b"", None, 422),
        (form(part(filename=b"a")), "multipart/form-data", 400),
        (form(part(filename=b"a")), "multipart/form-data; boundary=OTHER", 400),
    ],
    ids=[
        "another field", "a field that is no file", "no part", "empty form", "no last boundary",
        "JSON", "urlencoded", "nothing", "no boundary", "another boundary",
    ],
)  # fmt: skip
def test_a_request_of_another_form_is_told_the_form_expected(client, body, kind, expected):
    answer = send(client, body, kind)

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (expected, "requete_invalide")
    assert problem["status"] == expected
    assert "UploadFile" not in answer.text


@pytest.mark.parametrize("top_k", ["0", "8", "-1", "x", "1.5", "9" * 400])
def test_a_number_of_classes_that_does_not_exist_is_named(client, top_k):
    answer = client.post(f"{ROUTE}?top_k={top_k}", files={"file": ("x", J)})

    assert (answer.status_code, answer.json()["code"]) == (422, "requete_invalide")
    assert "«\u00a0top_k\u00a0»" in answer.json()["detail"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"image": 3}', b'{"image": "###"}', b'{"img": ""}', b"\xff"]
)
@pytest.mark.parametrize("route", ["/predict/", "/normalize/"])
def test_the_earlier_routes_refuse_what_is_not_an_image_in_base64(client, route, body):
    answer = client.post(route, content=body)

    assert (answer.status_code, answer.json()["code"]) == (422, "requete_invalide")


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", ROUTE, 405),
        ("DELETE", "/healthz", 405),
        ("GET", "/static-offline-docs/..%2f..%2f..%2fetc/passwd", 404),
        ("GET", "/static-offline-docs/%2e%2e/core.py", 404),
        ("GET", "//etc/passwd", 404),
        ("POST", "/predict", 404),
        ("GET", "/api/v1/../../x", 404),
    ],
)
def test_another_method_or_address_is_refused(client, method, path, expected):
    answer = client.request(method, path)

    assert answer.status_code == expected
    assert answer.json()["code"] == {405: "methode_non_permise", 404: "introuvable"}[expected]


# What only a raw socket sends


def test_a_length_beyond_the_limit_is_refused_before_the_body_comes(port):
    received = exchange(port, raw(b"", length=11_000_000_000), seconds=5)

    assert status(received) == 413
    assert b"fichier_trop_volumineux" in received


@pytest.mark.parametrize("seconds", [5])
def test_a_body_too_large_is_answered_while_it_is_still_sent(port, seconds):
    body = form(part(J + b"\0" * 3 * LIMIT, filename=b"a"))

    received = exchange(port, raw(body), seconds)

    assert status(received) == 413
    with httpx.Client() as client:
        answer = client.post(f"http://127.0.0.1:{port}{ROUTE}", files={"file": J + b"\0" * LIMIT})
    assert answer.json()["code"] == "fichier_trop_volumineux"


def test_a_request_with_two_lengths_closes_its_connection(port):
    body = form(part(filename=b"a"))
    chunked = b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"
    hidden = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    request = raw(chunked, length=5, extra=b"Transfer-Encoding: chunked\r\n")

    received = exchange(port, request.replace(b"Connection: close\r\n", b"") + hidden)

    assert received.count(b"HTTP/1.1 ") == 1
    assert b"connection: close" in received.lower()


@pytest.mark.parametrize("route", [ROUTE, "/predict/"])
@pytest.mark.parametrize("encoding", ["gzip", "deflate, GZIP"])
def test_a_compressed_body_is_told_not_to_be(client, route, encoding):
    packed = {"content-encoding": encoding, "content-type": "multipart/form-data; boundary=B"}

    answer = client.post(route, content=gzip.compress(form(part())), headers=packed)

    assert (answer.status_code, answer.json()["code"]) == (415, "format_non_pris_en_charge")
    assert "Content-Encoding" in answer.json()["detail"]


def test_a_body_in_pieces_without_a_length_is_counted(port):
    start = (
        f"POST {ROUTE} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        "Content-Type: multipart/form-data; boundary=B\r\nTransfer-Encoding: chunked\r\n\r\n"
    ).encode()
    body = form(part(J + b"\0" * 2 * LIMIT, filename=b"a"))
    chunks = [body[i : i + 50_000] for i in range(0, len(body), 50_000)]
    pieces = [b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks]

    received = exchange(port, [start, *pieces, b"0\r\n\r\n"])

    assert status(received) == 413


@pytest.mark.parametrize("form", [True, False], ids=["in a form", "as the body"])
def test_an_image_of_exactly_the_limit_is_accepted_and_one_byte_more_is_not(port, form):
    def answer(size):
        data = J + b"\0" * (size - len(J))
        sent = {"files": {"file": data}} if form else {"content": data}
        kind = {} if form else {"Content-Type": "image/jpeg"}
        return httpx.post(f"http://127.0.0.1:{port}{ROUTE}", headers=kind, **sent).status_code

    assert (answer(LIMIT), answer(LIMIT + 1)) == (200, 413)


@pytest.mark.parametrize(
    "request_",
    [
        raw(b"", length=-5),
        raw(b"", length="x"),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 100,
        b"GET /healthz\r\n\r\n",
        raw(b"", extra=b"X-Long: " + b"x" * 200_000 + b"\r\n"),
        b"GET /healthz HTTP/1.1\r\n\r\n",
    ],
    ids=["negative length", "no number", "TLS", "HTTP/0.9", "a header of 200 kB", "no host"],
)
def test_what_is_not_http_is_refused_and_the_connection_closed(port, request_):
    received = exchange(port, request_, seconds=10)

    assert received == b"" or status(received) == 400


def test_two_ways_to_end_a_body_do_not_smuggle_a_second_request(port):
    smuggled = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
    head = f"POST {ROUTE} HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n".encode()

    received = exchange(port, head + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled, 3)

    assert b"# HELP" not in received or received.count(b"HTTP/1.1") == 2
    assert status(received) in (400, 422)


def test_a_slow_body_is_waited_for(port):
    body = raw(form(part(filename=b"a")))
    pieces = (time.sleep(0.02) or body[i : i + 200] for i in range(0, len(body), 200))

    assert status(exchange(port, pieces)) == 200


def test_a_body_that_stops_half_way_is_given_up(port):
    whole = raw(form(part(filename=b"a")))
    begun = time.perf_counter()

    received = exchange(port, whole[: len(whole) // 2], seconds=15)

    assert 1.4 < time.perf_counter() - begun < 10
    assert status(received) == 408
    assert b"delai_depasse" in received


def test_a_client_that_leaves_half_way_harms_nobody(port):
    whole = raw(form(part(filename=b"a")))

    exchange(port, whole[: len(whole) // 2], seconds=0.05)

    assert status(exchange(port, whole)) == 200


def test_the_server_does_not_name_itself(port):
    received = exchange(port, b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert status(received) == 200
    assert b"uvicorn" not in received.lower()


# The budget of all bodies together


def test_bodies_that_together_exceed_the_budget_are_refused(model_dir):
    tight = Settings(
        model_dir=str(model_dir), workers=1, max_upload_bytes=60_000, max_batch_bytes=60_000,
        max_bodies_bytes=60_000,
    )  # fmt: skip
    with TestClient(create_app(tight)) as client:
        large = client.post(ROUTE, files={"file": J + b"\0" * (60_000 - len(J))})
        small = client.post(ROUTE, files={"file": J})
        service = client.app.state.service

    assert (large.status_code, large.json()["code"]) == (503, "surcharge")
    assert large.headers["retry-after"] == "1"
    assert small.status_code == 200
    assert service.bodies._held == 0


def test_a_body_that_has_ended_gives_back_its_own_share_of_the_budget_alone():
    from vitrine.serving.problems import ProblemError
    from vitrine.serving.request_body import BodyReader

    reader = BodyReader(budget=10, timeout=1.0)

    def hold(share, count):
        reader.take(count)
        share.bytes += count

    with reader._share() as first:
        hold(first, 6)
        with reader._share() as second:
            hold(second, 4)
        with pytest.raises(ProblemError, match="surcharge"):
            reader.take(5)
    reader.take(10)


def test_a_body_whose_time_is_over_does_not_hinder_the_stop():
    from vitrine.serving.request_body import BodyReader

    reader, raised = BodyReader(budget=10, timeout=1.0), []

    async def expire():
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: raised.append(context))
        async with reader.within(0):
            loop.call_soon(reader.stop)  # once the time is told over, before the task hears of it
            await asyncio.sleep(10)

    with pytest.raises(TimeoutError):
        asyncio.run(expire())
    assert raised == []
