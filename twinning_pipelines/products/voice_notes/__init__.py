"""Voice notes heard: each recording becomes a transcript and an entry of its person's journal.

`phrases` and `sifting` say what of an engine's words is kept; `transcripts` is what was heard with which model;
`journal` what a person reads and searches; `hearing` does it for whatever waits.
What is said is content. It is shown, quoted and searched, and never followed.
"""
