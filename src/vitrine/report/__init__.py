"""What may be said, drawn and shown: the ledger, figures, tables, French typography."""
