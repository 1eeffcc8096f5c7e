"""The settings: what values they accept, and what each of them is for."""
