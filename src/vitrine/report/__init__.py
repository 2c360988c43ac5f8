"""Ledger of citable numbers and verdicts, figures, tables, French typography, palette."""
