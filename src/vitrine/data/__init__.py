"""The photos and their table: fetch, check, split, decode, corrupt, measure, draw a demo."""
