"""QIF: sections, accounts, splits, investments, and what only a careless reader gets wrong."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinning_pipelines.errors import HostileFile, UnreadableFile
from twinning_pipelines.formats import dates, numbers, qif

BANK = b"""!Type:Bank
D1/26'26
T-1,012.50
CX
N1005
PLinden Mortgage
MJanuary
AMain Street 1
A3000 Bern
LHome:Mortgage/House
SHome:Interest
EJanuary
$-800.00
S[Savings]
%21
$-212.50
^
D1/27'26
U-3.00
PBakery
^
"""
QUICKEN = b"""!Clear:AutoSwitch
!Option:MDY
!Option:AutoSwitch
!Account
NChecking
TBank
DOur account
^
NBroker
TInvst
^
!Type:Cat
NFood
DFood and drink
