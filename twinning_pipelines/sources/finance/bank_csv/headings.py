"""The words that banks and money programs write over their columns, by what stands under them.

Sorted by preference: where a file has several of them, the first counts. Collected from real exports and from the
importers that others published: English, German, French, Spanish, Italian, Dutch, Polish, Czech, Hungarian, Lithuanian,
Russian, Scandinavian languages.
Words are compared without case, accents, and brackets or currencies at their end.
"""

from collections.abc import Mapping

# Of several dates the booking's own is the day; when the money counts and when the card was used are something else.
BOOKED = (
    "booking date", "posting date", "posted date", "post date", "buchungstag", "buchungsdatum", "buchung",
    "date processed", "bokforingsdag", "bokforingsdatum", "boekdatum", "datum verrekening", "data ksiegowania",
    "date", "datum", "data", "fecha", "dato", "date operation", "date d'operation", "fecha operacion",
    "data operazione", "data operacji", "tranzakcio datuma", "дата операции", "дата обработки операции",
    "transaction date", "date time", "datetime", "created", "created utc", "timestamp", "journaldate", "belegdatum",
    "дата совершения операции", "datum zauctovani", "datum provedeni", "value date", "date de valeur", "valutadatum",
)  # fmt: skip
AMOUNT = (
    "buchungsbetrag", "net", "amount", "betrag", "bedrag", "montant", "importe", "importo", "belopp", "belob", "kwota",
    "suma", "valor", "transaction amount", "netamount", "tranzakcio osszege", "zauctovana castka",
    "castka", "сумма пересчитанная в валюту счета", "сумма в валюте счета", "сумма операции", "сумма",
)  # fmt: skip
DEBIT = (
    "debit", "debit amount", "withdrawal", "withdrawals", "paid out", "money out", "outflow", "debet", "soll",
    "lastschrift", "belastung", "cargo", "addebiti", "dare", "расход",
)  # fmt: skip
CREDIT = (
    "credit", "credit amount", "deposit", "deposits", "paid in", "money in", "inflow", "haben", "gutschrift", "abono",
    "accrediti", "avere", "приход",
)  # fmt: skip

# Which way the money goes, where amounts have no sign of their own: only if every cell is such a word.
DIRECTION = (
    "transaction type", "type", "debit/credit", "credit/debit", "d/c", "d/k", "c/d", "s/h", "soll/haben", "af bij",
    "bij/af", "dr/cr", "bevetel/kiadas",
)  # fmt: skip
OUT = frozenset({"d", "dr", "debit", "debet", "s", "soll", "af", "out", "withdrawal", "outflow", "expense", "kiadas"})
IN = frozenset(
    {"c", "cr", "credit", "k", "kredit", "h", "haben", "bij", "in", "deposit", "inflow", "income", "bevetel"}
)

ACCOUNT = (
    "account", "account name", "account number", "auftragskonto", "iban auftraggeberkonto", "iban/bban", "rekening",
    "rekeningnummer", "szamlaszam", "cislo uctu", "saskaitos nr.", "номер счета",
    "номер карты/счета/договора",
)  # fmt: skip
# The same words stand over the account of the other side in other exports: only where all rows name one.
ACCOUNT_IF_ONE = ("kontonummer", "iban", "cuenta", "compte", "konto", "card no.", "номер карты")

OTHERS: Mapping[str, tuple[str, ...]] = {
    "payee": (
        "payee", "payee name", "partner name", "merchant", "merchant name", "counterparty", "counterparty name",
        "auftraggeber/empfanger", "beguenstigter/zahlungspflichtiger", "begunstigter/zahlungspflichtiger", "empfanger",
        "empfangername", "naam tegenpartij", "naam", "handelaar", "counteraccount name", "partner neve", "gavejas",
        "beneficiary", "beneficiario", "beneficiaire", "nazev protiuctu", "name",
    ),
    "memo": (
        "description", "details", "verwendungszweck", "omschrijving", "payment reference", "memo", "libelle", "concepto",
        "descripcion", "descrizione", "causale", "buchungstext", "text", "transaktionsbeschreibung", "reason",
        "narrative", "particulars", "paaiskinimai", "remarque", "desc", "kozlemeny", "message", "vwz1", "transaction",
        "description 1", "note", "notes", "opis", "zprava", "zprava pro prijemce", "описание операции", "основание", "item title",
    ),
    "valued_on": (
        "value date", "valutadatum", "valuta datum", "wertstellung", "wertstellungsdatum", "rentedatum",
        "date de valeur", "fecha valor", "data valuta", "erteknap",
    ),
    "currency": (
        "currency", "ccy", "wahrung", "waehrung", "buchungswahrung", "devise", "moneda", "munt", "divisa", "valiuta",
        "monn.", "currency code", "tranzakcio devizaneme", "mena uctu", "валюта счета", "валюта",
    ),
    "balance": (
        "balance", "running balance", "runningbalance", "current balance", "saldo", "kontostand", "solde",
        "saldo na trn", "cash balance",
    ),
    "bank_id": ("transaction id", "transferwise id", "tranzakcio azonosito"),
    "kind": ("umsatzart", "transaktionstyp", "transaction type", "type", "tranzakcio tipusa", "typ transakcji"),
    "category": ("category", "kategorie", "categorie", "categoria"),
    "check_number": ("check number", "checknumber", "check #", "check or slip #", "cheque number", "num"),
    "reference": ("reference", "ref", "ref #", "referencia", "referenz"),
    "original_amount": ("original amount", "originalbetrag", "local amount"),
    "original_currency": ("original currency", "originalwahrung", "local currency", "fremdwahrung"),
}  # fmt: skip

# What a list of trades, prices or holdings has, or one of moves between accounts, and no list of an account's bookings.
NO_BOOKINGS = frozenset(
    {
        "from-account",
        "symbol",
        "ticker",
        "isin",
        "quantity",
        "qty",
        "shares",
        "price",
        "unit price",
        "market value",
        "close",
        "volume",
    }
)
