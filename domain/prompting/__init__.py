"""The prompt optimizer: candidates, selection under a token budget, receipts."""
