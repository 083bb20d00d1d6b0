"""What the household's money does beyond the giro account: savings (CAMT.053), an account in euros (CSV), shares (Flex), rates.

Deterministic as `finance` is. What leaves the giro account arrives here: standing orders a day later, exchanged euros the
same day.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from math import sin
from pathlib import Path
from xml.sax.saxutils import escape

from msgspec import Struct

from twinning_pipelines.demo.agency import days
from twinning_pipelines.demo.finance import DEPOSIT, EPOCH, EXCHANGED, SAVED, exchange_days, franc_rate
from twinning_pipelines.demo.tables import write_csv

SAVINGS, EUROS, BROKER = "CH5604835012345678009", "DE89370400440532013000", "U7700001"
_SAVINGS_OPENING, _EUROS_OPENING = Decimal("2400.00"), Decimal("3100.00")
_FUND, _FUND_NAME, _CONID = "CH0237935652", "HELVETIA SHARES ETF", "910001"
_FEE = Decimal("1.50")


class Posting(Struct, frozen=True):
    """One booking: `number` tells it from others of its day."""

    day: date
    number: int
    amount: Decimal
    payee: str
    memo: str


def savings(first: date, last: date) -> Iterator[Posting]:
    """The standing order of the 27th arrives a day later; interest is paid at the end of each year."""
    for day in days(first, last):
        if (day - timedelta(days=1)).day == 27:
            yield Posting(day, 1, SAVED, "ADA BRUNNER", "STANDING ORDER SAVINGS")
        if (day.month, day.day) == (12, 31):
            yield Posting(day, 2, Decimal("61.35"), "SPARBANK", "INTEREST")


def euros(first: date, last: date) -> Iterator[Posting]:
    """A client pays each month, servers cost, and every quarter some of it is exchanged into francs."""
    for day in days(first, last):
        if day.day == 15:
            yield Posting(day, 1, Decimal("680.00"), "KONTOR NORD GMBH", f"Retainer {day:%m/%Y}")
        if day.day == 9:
            yield Posting(day, 2, Decimal("-49.90"), "SERVERHALLE GMBH", "Hosting")
        if day in exchange_days(day.year):
            yield Posting(day, 3, -EXCHANGED, "ADA BRUNNER", "EXCHANGE TO CHF ACCOUNT")
        if day.day == 20 and day.month % 2:
            yield Posting(day, 4, Decimal("-318.20"), "HOTEL AM DEICH", "Card payment")


def write_savings(path: Path, *, first: date, last: date) -> int:
    """CAMT.053, one statement with opening and closing balance; answers how many entries it holds."""
    before = _SAVINGS_OPENING + _sum(savings(EPOCH, first - timedelta(days=1)))
    rows = list(savings(first, last))
    entries = "".join(_entry(each) for each in rows)
    opening, closing = _balance("OPBD", before, first), _balance("CLBD", before + _sum(rows), last)
    _write(path, _CAMT.format(day=last, account=SAVINGS, opening=opening, closing=closing, entries=entries))
    return len(rows)


def write_euros(path: Path, *, first: date, last: date) -> int:
    """The CSV of a bank that prints running balances, the newest row first; answers how many rows it holds."""
    balance = _EUROS_OPENING + _sum(euros(EPOCH, first - timedelta(days=1)))
    rows: list[dict[str, object]] = []
    for each in euros(first, last):
        balance += each.amount
        rows.append(
            {
                "Account": EUROS, "Booking date": each.day.isoformat(), "Payee": each.payee, "Details": each.memo,
                "Amount": each.amount, "Currency": "EUR", "Balance": balance,
            }
        )  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_csv(path, list(rows[0]) if rows else ["Account"], rows[::-1])


class Purchase(Struct, frozen=True):
    """Shares bought on a day."""

    day: date
    units: int
    price: Decimal

    @property
    def cost(self) -> Decimal:
        """What left the account's cash, the fee included."""
        return self.units * self.price + _FEE


def fund_price(day: date) -> Decimal:
    """What a share of the fund costs: it grows by some 6 % a year, not evenly."""
    years = (day - EPOCH).days / 365.25
    return Decimal(f"{80 * 1.06**years * (1 + 0.03 * sin(day.toordinal() / 40)):.2f}")


def _deposits(first: date, last: date) -> Iterator[date]:
    return (day for day in days(first, last) if (day - timedelta(days=1)).day == 25)


def purchases(first: date, last: date) -> Iterator[Purchase]:
    """On the second of each month everything that was put in buys whole shares."""
    cash = Decimal(0)
    for day in days(EPOCH, last):
        if (day - timedelta(days=1)).day == 25:
            cash += DEPOSIT
        units = int((cash - _FEE) // fund_price(day)) if day.day == 2 else 0
        if units > 0:
            bought = Purchase(day, units, fund_price(day))
            cash -= bought.cost
            if day >= first:
                yield bought


def write_shares(path: Path, *, first: date, last: date) -> int:
    """An activity statement (Flex): deposits, purchases, what is held at the end; answers how many rows it holds."""
    bought, put_in = list(purchases(first, last)), list(_deposits(first, last))
    every = list(purchases(EPOCH, last))
    cash = len(list(_deposits(EPOCH, last))) * DEPOSIT - sum((each.cost for each in every), Decimal(0))
    units, price = sum(each.units for each in every), fund_price(last)
    held = (
        f'<OpenPosition accountId="{BROKER}" currency="CHF" assetCategory="STK" symbol="HSHR" description="{_FUND_NAME}" '
        f'conid="{_CONID}" isin="{_FUND}" securityID="{_FUND}" securityIDType="ISIN" reportDate="{last:%Y%m%d}" '
        f'position="{units}" markPrice="{price}" positionValue="{units * price}" '
        f'costBasisMoney="{sum((each.cost for each in every), Decimal(0))}" side="Long" levelOfDetail="SUMMARY" />'
    )
    _write(
        path,
        _FLEX.format(
            account=BROKER, first=f"{first:%Y%m%d}", last=f"{last:%Y%m%d}", cash=cash, held=held if units else "",
            trades="".join(map(_trade, bought)), deposits="".join(map(_deposit, put_in)),
        ),
    )  # fmt: skip
    return len(bought) + len(put_in) + bool(units)


def write_rates(path: Path, *, first: date, last: date) -> int:
    """Reference rates of the euro on working days, the newest first; answers how many rates it holds."""
    worked = [day for day in days(first, last) if day.weekday() < 5][::-1]
    _write(path, "Date,USD,JPY,CHF,\n" + "".join(f"{_rates(day)},\n" for day in worked))
    return 3 * len(worked)


def _rates(day: date) -> str:
    swing = sin(day.toordinal() / 130)
    return f"{day.isoformat()},{1.09 + 0.03 * swing:.4f},{162 + 4 * swing:.2f},{franc_rate(day)}"


def _sum(postings: Iterator[Posting] | Sequence[Posting]) -> Decimal:
    return sum((each.amount for each in postings), Decimal(0))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _entry(each: Posting) -> str:
    side = "CRDT" if each.amount > 0 else "DBIT"
    return (
        f'<Ntry><Amt Ccy="CHF">{abs(each.amount)}</Amt><CdtDbtInd>{side}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>'
        f"<BookgDt><Dt>{each.day}</Dt></BookgDt><ValDt><Dt>{each.day}</Dt></ValDt>"
        f"<AcctSvcrRef>S{each.day:%Y%m%d}{each.number}</AcctSvcrRef><NtryDtls><TxDtls><RltdPties><Dbtr><Pty>"
        f"<Nm>{escape(each.payee)}</Nm></Pty></Dbtr></RltdPties><RmtInf><Ustrd>{escape(each.memo)}</Ustrd></RmtInf>"
        "</TxDtls></NtryDtls></Ntry>\n"
    )


def _balance(code: str, amount: Decimal, day: date) -> str:
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="CHF">{amount}</Amt>'
        f"<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>\n"
    )


def _trade(each: Purchase) -> str:
    return (
        f'<Trade accountId="{BROKER}" currency="CHF" assetCategory="STK" symbol="HSHR" description="{_FUND_NAME}" '
        f'conid="{_CONID}" isin="{_FUND}" securityID="{_FUND}" securityIDType="ISIN" tradeID="T{each.day:%Y%m}" '
        f'tradeDate="{each.day:%Y%m%d}" transactionType="ExchTrade" quantity="{each.units}" tradePrice="{each.price}" '
        f'proceeds="{-each.units * each.price}" ibCommission="{-_FEE}" ibCommissionCurrency="CHF" netCash="{-each.cost}" '
        f'transactionID="{each.day:%Y%m%d}1" buySell="BUY" levelOfDetail="EXECUTION" />\n'
    )


def _deposit(day: date) -> str:
    return (
        f'<CashTransaction accountId="{BROKER}" currency="CHF" description="CASH RECEIPTS / ELECTRONIC FUND TRANSFERS" '
        f'dateTime="{day:%Y%m%d}" settleDate="{day:%Y%m%d}" reportDate="{day:%Y%m%d}" amount="{DEPOSIT}" '
        f'type="Deposits/Withdrawals" transactionID="{day:%Y%m%d}2" levelOfDetail="DETAIL" />\n'
    )


_CAMT = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>
<GrpHdr><MsgId>SAV{day:%Y%m%d}</MsgId><CreDtTm>{day}T21:30:00+01:00</CreDtTm></GrpHdr>
<Stmt><Id>SAV{day:%Y%m%d}</Id><CreDtTm>{day}T21:30:00+01:00</CreDtTm><Acct><Id><IBAN>{account}</IBAN></Id><Ccy>CHF</Ccy></Acct>
{opening}{closing}{entries}</Stmt></BkToCstmrStmt></Document>
"""

_FLEX = """<FlexQueryResponse queryName="Household" type="AF">
<FlexStatements count="1">
<FlexStatement accountId="{account}" fromDate="{first}" toDate="{last}" whenGenerated="{last};213000">
<AccountInformation accountId="{account}" acctAlias="Shares" currency="CHF" />
<CashReport><CashReportCurrency accountId="{account}" currency="CHF" levelOfDetail="Currency" fromDate="{first}" \
toDate="{last}" endingCash="{cash}" endingSettledCash="{cash}" /></CashReport>
<Trades>
{trades}</Trades>
<CashTransactions>
{deposits}</CashTransactions>
<OpenPositions>{held}</OpenPositions>
</FlexStatement>
</FlexStatements>
</FlexQueryResponse>
"""
