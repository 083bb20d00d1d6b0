"""The words that banks and money programs write over their columns, by what stands under them.

Sorted by preference: where a file has several of them, the first counts. Collected from real exports and from the
importers that others published: English, German, French, Spanish, Portuguese, Italian, Dutch, Polish, Czech, Hungarian,
Lithuanian, Russian, Japanese, Turkish, Finnish, Scandinavian languages.
Words are compared without case, accents, and brackets or currencies at their end.
"""

import re
from collections.abc import Mapping, Sequence

from twinning_pipelines.formats.text import without_accents

# Of words that are Polish, Czech, Hungarian or Slovak alone: their files are in Windows-1250 where they are no UTF-8.
CENTRAL = frozenset(
    {
        *("kwota", "data operacji", "data ksiegowania", "opis operacji", "opis transakcji", "typ transakcji", "waluta"),
        *("castka", "objem", "datum zauctovani", "datum provedeni", "zprava", "mena", "nazev protiuctu", "ucet"),
        *("tranzakcio datuma", "tranzakcio osszege", "konyveles datuma", "osszeg", "kozlemeny", "szamlaszam"),
    }
)

# Of several dates the booking's own is the day; when the money counts and when the card was used are something else.
BOOKED = (
    "booking date", "posting date", "posted date", "post date", "buchungstag", "buchungsdatum", "buchung",
    "date processed", "bokforingsdag", "bokforingsdatum", "boekdatum", "datum verrekening", "data ksiegowania",
    "date", "datum", "data", "fecha", "dato", "date operation", "date d'operation", "fecha operacion",
    "data operazione", "data operacji", "tranzakcio datuma", "дата операции", "дата обработки операции",
    "transaction date", "date time", "datetime", "created", "created utc", "timestamp", "journaldate", "belegdatum",
    "дата совершения операции", "datum zauctovani", "datum provedeni", "日付", "取引日",
    "booked at", "txn date", "tran date", "trans. date", "date de comptabilisation", "dateop", "data registrazione",
    "data contabile", "data lancamento", "data mov.", "data movimento", "boekingsdatum", "reskontradatum",
    "bogført", "bogføringsdato", "bogføringsdag", "bokført dato", "bokføringsdato", "kirjauspaiva", "tarih", "islem tarihi",
    "value date", "date de valeur", "valutadatum",
)  # fmt: skip
AMOUNT = (
    "buchungsbetrag", "billing amount", "billed amount", "net", "netto",
    "amount", "betrag", "bedrag", "montant", "importe", "importo", "belopp", "kwota",
    "suma", "valor", "transaction amount", "netamount", "tranzakcio osszege", "zauctovana castka",
    "castka", "value num", "сумма пересчитанная в валюту счета", "сумма в валюте счета", "сумма операции", "сумма",
    "umsatz", "umsatz in", "betrag in", "montant en", "importe en", "credit/debit amount", "objem", "beløb", "beløp",
    "maara", "maara euroa", "tutar", "islem tutarı", "入出金",
)  # fmt: skip
DEBIT = (
    "debit", "debit amount", "withdrawal", "withdrawals", "paid out", "money out", "outflow", "debet", "soll",
    "lastschrift", "belastung", "cargo", "addebiti", "dare", "расход", "出金金額", "お支払金額",
    "lastschrift in", "belastung in", "debito", "debitos", "cargos", "debe", "debit euros", "debit en", "uscite",
    "addebito in", "withdrawal amount", "withdrawal amt.", "ut fra konto", "ut", "支払い金額",
)  # fmt: skip
CREDIT = (
    "credit", "credit amount", "deposit", "deposits", "paid in", "money in", "inflow", "haben", "gutschrift", "abono",
    "accrediti", "avere", "приход", "入金金額", "お預り金額",
    "gutschrift in", "credito", "creditos", "abonos", "haber", "credit euros", "credit en", "entrate", "accredito in",
    "deposit amount", "deposit amt.", "inn pa konto", "inn", "預かり金額",
)  # fmt: skip

# Which way the money goes, where amounts have no sign of their own: only if every cell is such a word.
DIRECTION = (
    "transaction type", "type", "debit/credit", "credit/debit", "d/c", "d/k", "c/d", "s/h", "soll/haben", "af bij",
    "bij/af", "dr/cr", "bevetel/kiadas", "category",
)  # fmt: skip
OUT = frozenset(
    {"d", "dr", "debit", "debet", "s", "soll", "af", "out", "withdrawal", "outflow", "expense", "expenses", "kiadas"}
)
IN = frozenset(
    {"c", "cr", "credit", "k", "kredit", "h", "haben", "bij", "in", "deposit", "inflow", "income", "bevetel"}
)

ACCOUNT = (
    "account", "account number", "account name", "auftragskonto", "iban auftraggeberkonto", "iban/bban", "rekening",
    "rekeningnummer", "szamlaszam", "cislo uctu", "saskaitos nr.", "номер счета",
    "iban auftragskonto", "accountnum", "bank account",
    "номер карты/счета/договора",
)  # fmt: skip
# The same words stand over the account of the other side in other exports: only where all rows name one, and neither the
# payee stands in front of it nor his bank behind.
ACCOUNT_IF_ONE = ("kontonummer", "iban", "cuenta", "compte", "konto", "card no.", "номер карты")
BANK_CODE = frozenset({"bic", "bic/swift", "swift", "swift code", "blz", "bankleitzahl"})

OTHERS: Mapping[str, tuple[str, ...]] = {
    "payee": (
        "payee", "payee name", "partner name", "merchant", "merchant name", "counterparty", "counterparty name",
        "auftraggeber/empfanger", "beguenstigter/zahlungspflichtiger", "begunstigter/zahlungspflichtiger", "empfanger",
        "empfangername", "naam tegenpartij", "naam", "handelaar", "counteraccount name", "partner neve", "gavejas",
        "beneficiary", "beneficiario", "beneficiaire", "nazev protiuctu", "name", "tx description",
        "name zahlungsbeteiligter", "begunstigter / auftraggeber", "auftraggeber / begunstigter", "sender / empfanger",
        "naam / omschrijving", "nadawca/odbiorca", "saaja/maksaja", "namn", "navn", "zahlungsempfanger*in",
        "zahlungsempfanger", "creditor", "creditor name",
    ),
    # Where exports name both sides, whoever sent the money; the payee where it came.
    "payer": (
        "zahlungspflichtige*r", "zahlungspflichtiger", "zahlungspflichtige", "payer", "payer name", "debtor", "debtor name",
    ),
    "memo": (
        "description", "details", "verwendungszweck", "omschrijving", "payment reference", "memo", "libelle", "concepto",
        "descripcion", "descrizione", "causale", "buchungstext", "text", "transaktionsbeschreibung", "reason",
        "narrative", "particulars", "paaiskinimai", "remarque", "desc", "kozlemeny", "message", "vwz1", "transaction",
        "description 1", "note", "notes", "opis", "zprava", "zprava pro prijemce", "описание операции", "описание",
        "основание", "item title", "item1", "摘要", "内容", "beschreibung", "beschreibung1", "description1",
        "avisierungstext", "texte de notification", "testo di avviso", "transaction description", "transaction details",
        "transaction remarks", "narration", "label", "libelle operation", "libelle simplifie", "mededelingen", "descricao",
        "historico", "title", "opis operacji", "opis transakcji", "tytuł", "rubrik", "beskrivning", "tekst", "beskrivelse",
        "forklaring", "viesti", "selitys", "acıklama", "aciklama", "入出金内容",
    ),
    "valued_on": (
        "value date", "valutadatum", "valuta datum", "wertstellung", "wertstellungsdatum", "rentedatum",
        "date de valeur", "fecha valor", "data valuta", "erteknap", "valuta date", "value dat", "dateval", "data valor",
        "data waluty", "arvopaiva", "valutadag",
    ),
    "currency": (
        "billing currency",
        "currency", "ccy", "wahrung", "waehrung", "buchungswahrung", "devise", "moneda", "munt", "divisa", "valiuta",
        "monn.", "currency code", "tranzakcio devizaneme", "mena uctu", "mena", "devies", "moeda", "waluta",
        "валюта счета", "валюта",
    ),
    "balance": (
        "balance", "running balance", "runningbalance", "current balance", "saldo", "kontostand", "solde",
        "saldo na trn", "cash balance", "残高", "取引後残高", "差引残高", "saldo nach buchung", "saldo na mutatie", "running bal.",
        "closing balance", "guthaben", "saldo po operacji", "saldo po transakcji", "bokfort saldo", "saldo contabilistico",
        "bakiye",
    ),
    "bank_id": (
        "transaction id", "transferwise id", "tranzakcio azonosito", "transaktionscode", "transaktions-nr.",
        "transaction no.", "id operace", "id pohybu", "identificador", "arkistointitunnus",
    ),
    "kind": ("umsatzart", "transaktionstyp", "transaction type", "type", "tranzakcio tipusa", "typ transakcji"),
    "category": ("category", "kategorie", "categorie", "categoria"),
    "check_number": ("check number", "checknumber", "check #", "check or slip #", "cheque number", "num"),
    "reference": (
        "reference", "ref", "ref #", "referencia", "referenz", "reference number", "chq/ref number", "dekont no", "viite",
    ),
    # Amounts as fractions: so many of so many parts.
    "divisor": ("value denom",),
    "original_amount": ("original amount", "originalbetrag", "local amount"),
    "original_currency": ("original currency", "originalwahrung", "local currency", "fremdwahrung"),
}  # fmt: skip

# A currency in the north, a day elsewhere: only if every cell is a currency's code.
CURRENCY_OR_DAY = frozenset({"valuta", "valuutta"})

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
# What such a list is, by words that its header holds together.
OTHER_LISTS: tuple[tuple[str, tuple[frozenset[str], ...]], ...] = (
    ("holdings", (frozenset({"market value", "cost basis"}), frozenset({"quantity", "market value"}))),
    (
        "trades",
        (
            frozenset({"symbol", "quantity"}),
            frozenset({"symbol", "price"}),
            frozenset({"ticker", "price"}),
            frozenset({"isin", "shares"}),
            frozenset({"isin", "quantity"}),
            frozenset({"shares", "price"}),
        ),
    ),
    ("prices", (frozenset({"close", "volume"}),)),
    ("orders of a shop", (frozenset({"order id", "items"}), frozenset({"order id", "order date"}))),
    ("moves between accounts", (frozenset({"from-account", "to-account"}),)),
    (
        "exchanges of assets",
        (
            frozenset({"buy asset", "sell asset"}),
            frozenset({"sent amount", "received amount"}),
            frozenset({"spend currency", "receive currency"}),
            frozenset({"location", "fee currency"}),
        ),
    ),
    ("totals of statements", (frozenset({"numtransactions", "netamount"}),)),
    ("accounts", (frozenset({"type", "name", "amount", "currency"}),)),
)

# In the place of a day, or in a column of what became of a row: not booked yet, or never.
PENDING = frozenset(
    {
        *("pending", "reserved", "authorised", "authorized", "in process", "processing", "not booked"),
        *("vorgemerkt", "vorgemerkte umsatze", "umsatz vorgemerkt", "offen", "ausstehend", "reserviert"),
        *("en attente", "en cours", "in attesa", "autorizzato", "non contabilizzato", "pendiente", "pendente"),
        *("in behandeling", "gereserveerd", "oczekujace", "reserverad", "reserverat", "reservert", "reserveret"),
        *("venter", "afventer", "varaus"),
    }
)
NEVER = frozenset({"reverted", "declined", "denied", "failed", "canceled", "cancelled", "expired", "rejected"})
STATE = frozenset(
    {"status", "state", "transaction status", "booking status", "buchungsstatus", "info", "stato", "estado", "statut"}
)
# How lines begin that add up the bookings above or below them.
TOTALS = (
    "total", "subtotal", "sub-total", "grand total", "summe", "zwischensumme", "gesamt", "saldo", "somme", "totale", "suma",
    "opening balance", "closing balance", "beginning balance", "ending balance", "balance brought forward",
    "balance carried forward", "anfangssaldo", "endsaldo", "kontostand", "razem", "celkem", "итого", "合計",
)  # fmt: skip
# The whole words of a line that states a balance, even where it has a day and a figure under the amounts.
BALANCES = frozenset(
    {
        *("opening balance", "closing balance", "beginning balance", "ending balance", "balance brought forward"),
        *("balance carried forward", "brought forward", "carried forward", "anfangssaldo", "endsaldo", "kontostand"),
        *("alter kontostand", "neuer kontostand", "alter saldo", "neuer saldo", "saldovortrag", "ancien solde"),
        *("nouveau solde", "solde initial", "solde final", "solde precedent", "saldo anterior", "saldo inicial"),
        *(
            "saldo final",
            "saldo do dia",
            "s a l d o",
            "saldo iniziale",
            "saldo finale",
            "saldo precedente",
            "beginsaldo",
        ),
        *("eindsaldo", "saldo poczatkowe", "saldo koncowe", "pocatecni zustatek", "konecny zustatek"),
    }
)
# What a card's issuer writes beside the holder's payment, and as the kind of a purchase. A bank's `payment` may be any.
PAID, BOUGHT = "paid off", "used to buy"
_PAYMENT = re.compile(
    r"payment\b.{0,40}\bthank you|thank you for your payment|payment received|payments and credits|pagamento recebido"
    r"|gracias por su pago|paiement recu|merci de votre paiement|zahlung erhalten|betaling ontvangen"
)
_OF_A_CARD = re.compile("thank you|purchase|payment|pagamento|su pago|paiement|zahlung erhalten|betaling")
_BOUGHT = frozenset({"purchase", "card purchase"})
# Said beside an amount: it is money that came (credit) or went (debit). A single letter counts only behind it.
CREDITED, DEBITED = frozenset({"cr", "cr.", "haben"}), frozenset({"dr", "dr.", "db", "soll"})
CREDITED_BEHIND, DEBITED_BEHIND = CREDITED | {"c", "h"}, DEBITED | {"d", "s", "od"}


def said_of_a_card(cells: Sequence[str]) -> str:
    """`PAID` where the words of a booking say that a card's holder paid its issuer, `BOUGHT` where he bought; else empty."""
    text = "\n".join(cells).casefold()
    if not _OF_A_CARD.search(text):
        return ""
    if _PAYMENT.search(without_accents(text)):
        return PAID
    return BOUGHT if _BOUGHT & set(text.split("\n")) else ""
