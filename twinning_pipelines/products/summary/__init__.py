"""A person's day, week or month as a short page that cannot state a wrong number.

Figures are never written by a model: sentences hold slots, and code renders them from stored facts. In reading order:

    figures, nouns   how a value is written, what a fact is called
    render           slots become phrases
    carriers, template  the text that needs no model
    slots, prompt, forbidden, checker  what a model is asked, and what it may not write
    writing          model, retry, template
    quotes, kept, verifying  the journal's one sentence; what is stored; the proof of it
    summary, page    the door: `Maker.summary`; a page of HTML
"""
