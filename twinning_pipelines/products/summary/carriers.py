"""The sentences of the template, several for each fact, so that two days do not begin alike.

`{|figure}` and `{|short}` are forms of the fact that is told; what it compares with is put behind. `<list>` is a list of facts.
"""

# By fact, and whether it is the mean of a period.
CARRIERS: dict[tuple[str, bool], tuple[str, ...]] = {
    ("sleep", False): ("You slept {|figure}", "The night gave you {|short}", "{|figure} asleep"),
    ("steps", False): ("You walked {|short}", "{|short}", "The day came to {|short}"),
    ("distance", False): ("You covered {|short}", "{|short}", "Your feet took you {|figure}"),
    ("workouts", False): ("You trained for {|figure}", "{|short}", "Training took {|figure}"),
    ("exercise", False): ("You moved briskly for {|figure}", "{|short}"),
    ("resting_heart_rate", False): (
        "Your heart at rest beat at {|figure}",
        "You had {|short}",
        "At rest your pulse was {|figure}",
    ),
    ("heart_rate_variability", False): ("Heart rate variability stood at {|figure}", "You had {|short}"),
    ("weight", False): ("The scale showed {|figure}", "You weighed {|figure}"),
    ("energy", False): ("You ate {|figure}", "Food came to {|figure}", "{|short}"),
    ("protein", False): ("You ate {|short}", "{|short}"),
    ("spend", False): ("You spent {|figure}", "Spending came to {|figure}", "{|figure} went out"),
    ("spend_by_category", False): ("You spent {|short}", "{|figure} went on {|name}"),
    ("income", False): ("{|figure} came in", "You received {|figure}", "Income was {|figure}"),
    ("hours", False): ("You tracked {|figure}", "Work came to {|figure}", "{|short}"),
    ("hours_by_project", False): ("You worked {|short}", "{|name} took {|figure}"),
    ("billable_share", False): ("{|figure} of the hours were billable", "Billable were {|figure} of the hours"),
    ("balance", False): ("There is {|short}", "{|name} holds {|figure}"),
    ("invoiced", False): ("You invoiced {|figure}", "Invoices over {|figure} went out"),
    ("invoices_open", False): ("Clients owe you {|figure}", "Unpaid invoices stand at {|figure}"),
    ("invoices_due", False): ("Invoices over {|figure} are due and unpaid", "{|figure} in invoices is due and unpaid"),
    ("pipeline_weighted", False): (
        "The weighted pipeline stands at {|figure}",
        "Your pipeline is worth {|figure}, weighted",
    ),
    ("sleep", True): ("You slept {|short}", "Nights brought {|short}"),
    ("steps", True): ("You walked {|short}", "{|short}"),
}
PLAIN = ("{|short}", "You had {|short}")
# For a record: the extreme first, then its figure.
HEADED = ("{|head}: {|amount}<change>",)
# When nothing in a domain is news.
ORDINARY = (
    "Much as usual: <list>.",
    "<list>: nothing out of the ordinary.",
    "No surprises in <list>.",
    "<list>, about what you are used to.",
)
# When something was.
REST = (
    "The rest was ordinary: <list>.",
    "As usual: <list>.",
    "Otherwise as usual: <list>.",
    "Nothing new in <list>.",
)
UNCOMPARED = ("<list>.", "You had <list>.")
GOAL_OPENINGS = ("Your goals: ", "Goals and limits: ")
DUE_OPENINGS = ("Coming up: ", "Next: ", "Ahead: ")
SILENT_OPENINGS = ("No data from ", "Nothing came from ", "Silent: ")
