"""Colours that people with any kind of colour vision tell apart: those of Okabe and Ito.

What is good is blue, what wants a look orange, what is bad vermilion: never red against green.
"""

BLUE, ORANGE, SKY, GREEN = "#0072B2", "#E69F00", "#56B4E9", "#009E73"
VERMILION, PURPLE, YELLOW, GREY = "#D55E00", "#CC79A7", "#F0E442", "#999999"

GOOD, WATCH, BAD = BLUE, ORANGE, VERMILION

# Of the stages of sleep, as they are told.
STAGES = (("deep", BLUE), ("rem", PURPLE), ("core", SKY), ("asleep", GREEN), ("awake", ORANGE))

# In the order in which they are given to what has a rank: neighbours differ in lightness as well as in hue.
RANKED = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION, YELLOW, GREY)
