"""News: what is worth a word to a person, told once to each of their targets.

places         whether an address stands at home
targets        `news.yaml`: who hears of what, where
channels       the two ways out: Apprise and signed webhooks
happenings     what is worth a word, as the tables tell it
telling        each happening is written down once, and queued for the targets that want it
delivery       the queue: tries, waits, dead letters
round          all of it, one after another
"""
