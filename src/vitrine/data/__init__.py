"""The photos and their table: fetch, check, split, decode, spoil, measure, draw a demo."""
