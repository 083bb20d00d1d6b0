"""A person's bookings and trades in Firefly III: each there once, whatever breaks off; what was changed or deleted there stays so.

In reading order:

    words      how a booking or trade reads there: description, notes, names of the right length
    accounts   own accounts there: found or made, with the balance they opened with
    trades     what trades cost or bring, and how that reads there
    wanted     what Firefly III should hold, from Postgres
    outbox     what has been, is being and is still to be done, so that a crash doubles and loses nothing
    there      what is there already of what was never sent, under any of its names
    plan       wanted, last written, there now: what follows for one booking, pair or trade
    held       what is there now of what was written
    apply      one change at a time
    patience   whether one row is the trouble, or the server
    statements the files themselves, at the accounts, if asked for
    push       all of it for one person
    drift      ours against theirs against the statements, after the fact

Tests run against a strict imitation; a real Firefly III only where TWINNING_TEST_FIREFLY_URL names one.
"""
