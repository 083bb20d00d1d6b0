"""Words that a model may not write outside a slot, in English, German and French: numbers, dates, comparisons, causes, advice.

Lists, not patterns: a pattern for ordinals finds `with`. Words are compared in lower case and without accents.
"""

import re

_NUMBERS_EN = """
zero nil nought naught one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen twenty thirty forty fourty fifty sixty seventy eighty ninety hundred hundreds thousand thousands
million millions billion billions trillion first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth
thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth thirtieth fortieth fiftieth sixtieth
seventieth eightieth ninetieth hundredth thousandth millionth firstly secondly thirdly once twice thrice single double
doubled triple tripled treble quadruple quadrupled quintuple half halves halved halfway quarter quarters thirds fifths tenths
couple dozen dozens score scores pair pairs trio duo few several many none nothing never nobody no percent percentage per cent
both either neither whole entire all every each digit digits number numbers threefold twofold tenfold multiple ones twos"""
_NUMBERS_DE = """
null eins ein eine einen einem einer eines zwei zwo drei vier funf fuenf sechs sieben acht neun zehn elf zwolf zwoelf
dreizehn vierzehn funfzehn fuenfzehn sechzehn siebzehn achtzehn neunzehn zwanzig dreissig vierzig funfzig fuenfzig sechzig
siebzig achtzig neunzig hundert hunderte tausend tausende million millionen milliarde milliarden erste ersten erster erstes
erstem zweite zweiten zweiter zweites dritte dritten dritter drittes vierte vierten vierter funfte funften fuenfte sechste
sechsten siebte siebten siebente achte achten neunte neunten zehnte zehnten elfte elften zwolfte zwoelfte zwanzigste
hundertste tausendste halb halbe halben halber halbes hallfte halfte haelfte viertel drittel doppelt doppelte doppelten
dreifach vierfach zehnfach einmal zweimal dreimal viermal dutzend paar mehrere viele wenige einige kein keine keinen nichts
niemand nie prozent beide beiden alle jeder jede jedes anderthalb"""
_NUMBERS_FR = """
zero un une deux trois quatre cinq sept huit neuf dix onze douze treize quatorze quinze seize vingt vingts trente quarante
cinquante soixante septante octante huitante nonante cent cents mille milles million millions milliard milliards premier
premiere premiers premieres deuxieme seconde troisieme quatrieme cinquieme sixieme septieme huitieme neuvieme dixieme onzieme
douzieme treizieme quatorzieme quinzieme seizieme vingtieme trentieme centieme millieme demi demie moitie tiers quart quarts
double triple quadruple douzaine dizaine vingtaine centaine centaines millier milliers fois plusieurs aucun aucune rien jamais
personne pourcent chaque tous toutes"""

_DATES = """
monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays thursdays fridays saturdays sundays mon
tue tues wed thu thur thurs fri sat sun january february march april may june july august september october november december
jan feb mar apr jun jul aug sep sept oct nov dec today yesterday tomorrow tonight overnight weekday weekdays weekend weekends
week weeks month months year years decade decades century fortnight daily weekly monthly yearly annual annually last next
previous previously recent recently lately ago since until earlier later morning afternoon evening noon midnight spring summer
autumn fall winter christmas easter
montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag januar janner jaenner februar marz maerz mai juni juli
oktober dezember heute gestern morgen vorgestern ubermorgen uebermorgen woche wochen monat monate monaten jahr jahre jahren
wochenende abend mittag nacht stunde stunden minute minuten sekunde sekunden tage tagen tag fruhling sommer herbst
lundi mardi mercredi jeudi vendredi samedi dimanche janvier fevrier mars avril juin juillet aout septembre octobre novembre
decembre aujourd hui hier demain semaine semaines mois annee annees ans jour jours matin soir heure heures minute minutes
hour hours second seconds days"""

_COMPARISONS = """
more less fewer than most least best worst better worse greater greatest larger largest bigger biggest smaller smallest higher
highest lower lowest longer longest shorter shortest faster fastest slower slowest earlier earliest later latest stronger
strongest weaker weakest heavier lighter richer poorer healthier fitter busier quieter calmer easier harder above below over
under beyond exceed exceeds exceeded exceeding outpaced outdid beat beats beating surpass surpassed surpassing top topped peak
peaked record records low high highs lows maximum minimum max min average averages mean median usual usually normal normally
typical typically ordinary unusual unusually same similar similarly equal equally identical unchanged stable steady constant
increase increases increased increasing decrease decreases decreased decreasing rise rises rose risen rising fall falls fell
fallen falling grow grows grew grown growing growth shrink shrank shrunk drop drops dropped dropping climb climbs climbed gain
gains gained lose loses lost loss improve improves improved improving improvement decline declines declined declining up down
extra additional remaining further farther furthest farthest ahead behind short enough too much little plenty only just almost
nearly roughly approximately around about exactly precisely barely hardly merely already still again yet always often rarely
seldom sometimes almost close twice rather compared comparison versus vs like unlike as extraordinary exceptional remarkable
mehr weniger als meisten meiste wenigsten beste besten besser schlechter schlechteste grosser groesser grosste kleiner
kleinste hoher hoeher hochste hoechste niedriger niedrigste langer laenger langste laengste kurzer kuerzer kurzeste schneller
langsamer uber ueber unter rekord durchschnitt ublich ueblich normal gleich gestiegen gesunken zugenommen abgenommen
plus moins meilleur meilleure meilleurs pire pires mieux superieur superieure inferieur inferieure maximum minimum moyenne
record augmente augmentation baisse hausse davantage pareil comme habituel habituelle"""

_CAUSES = """
because cause causes caused causing due thanks thank therefore thus hence so consequently result results resulted resulting
lead leads led leading made makes make making explains explain explained explaining reason reasons why owing effect effects
affect affects affected affecting impact impacts impacted influence influences influenced helped helps helping contribute
contributes contributed contributing drove drives driven trigger triggers triggered produced produces brought bring brings
responsible blame accordingly correlate correlates correlated correlation linked link links despite although though
weil denn deshalb daher darum wegen dank grund fuhrte fuehrte fuhrt verursacht verursachte dadurch somit folge
parce car donc cause grace raison entraine entrainee provoque provoquee ainsi puisque"""

_ADVICE = """
should shouldn shall must mustn ought need needs needed try tries consider considering recommend recommends recommended
recommendation suggest suggests suggested suggestion advise advises advised advice avoid avoids remember ensure please better
could would might can may will won wouldn couldn want wants let lets keep keeps stop start go goes get aim aims plan plans
target targets goal goals healthy unhealthy risk risky danger dangerous warning warn careful caution doctor ideal ideally
sollte sollten solltest sollst muss musst mussen muessen darf empfehle empfehlen empfohlen versuche versuch vermeide achte
gesund ungesund bitte arzt
devrait devriez devrais doit devez faut conseille conseil recommande essayez evitez pensez sante attention medecin"""

# Claims that no figure carries: that something is settled, missing or judged.
_CLAIMS = """
paid unpaid settled overdue cancelled canceled refunded owed owes owe won win wins winning missed miss reached met failed fail
fails success successful perfect bad terrible awful amazing awesome excellent horrible wonderful guaranteed proof proves proven
confirmed verified certain certainly definitely obviously clearly true false real wrong correct error not without
bezahlt unbezahlt gewonnen verloren verpasst erreicht nicht ohne perfekt paye payee payees gagne perdu atteint pas sans parfait
ignore instruction instructions system prompt assistant user password http https www html script"""

NUMBER_WORDS = frozenset(f"{_NUMBERS_EN} {_NUMBERS_DE} {_NUMBERS_FR}".split())
CATEGORIES: tuple[tuple[str, frozenset[str]], ...] = (
    ("a number word", NUMBER_WORDS),
    ("a date or a time", frozenset(_DATES.split())),
    ("a comparison", frozenset(_COMPARISONS.split())),
    ("a cause", frozenset(_CAUSES.split())),
    ("advice", frozenset(_ADVICE.split())),
    ("a claim that no fact carries", frozenset(_CLAIMS.split())),
)

_EN = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thir|four|fif|six|seven|eigh|nine|teen|twenty|thirty|forty|"
    "fifty|sixty|seventy|eighty|ninety|hundred|thousand|million|and|ty|first|second|third|fourth|fifth|sixth|seventh|eighth|ninth"
)
_DE = (
    "ein|eins|zwei|zwo|drei|vier|fuenf|funf|sechs|sech|sieben|sieb|acht|neun|zehn|elf|zwoelf|zwolf|zwanzig|dreissig|vierzig|"
    "fuenfzig|funfzig|sechzig|siebzig|achtzig|neunzig|hundert|tausend|million|millionen|und|ste|sten|ster|te|ten|ter|tel|mal|fach"
)
_FR = (
    "un|deux|trois|quatre|cinq|six|sept|huit|neuf|dix|onze|douze|treize|quatorze|quinze|seize|vingts|vingt|trente|quarante|"
    "cinquante|soixante|cents|cent|mille|et|ieme"
)
# Number words written together: siebenundzwanzig, twentyfive, vingtdeux. Long enough not to be `ten` or `under`.
COMPOUNDS = tuple(re.compile(rf"(?:{stems}){{2,}}") for stems in (_EN, _DE, _FR))
