"""The words over the columns of a bank's CSV: which are known, what they name, and which lists hold no bookings."""

from pathlib import Path

import pytest

from twinning_pipelines.ingest.road import look
from twinning_pipelines.original import Original
from twinning_pipelines.sources import SOURCES
from twinning_pipelines.sources.finance.bank_csv import SOURCE, headings
from twinning_pipelines.sources.finance.bank_csv.proposal import bare, other_list, proposal_of
from twinning_pipelines_tests.goldens import BERLIN
from twinning_pipelines_tests.sources.finance.bank_csv.made_exports import file_of, rows


def test_every_word_is_written_as_headings_are_compared() -> None:
    words = [headings.BOOKED, headings.AMOUNT, headings.DEBIT, headings.CREDIT, headings.DIRECTION, headings.ACCOUNT]
    words += [headings.ACCOUNT_IF_ONE, *headings.OTHERS.values(), tuple(headings.NO_BOOKINGS)]
    assert [word for some in words for word in some if bare(word) != word] == []


@pytest.mark.parametrize(
    ("heading", "word"),
    [
        ("Betrag (EUR)", "betrag"), ("Amount CZK", "amount"), ("Empfänger", "empfanger"), ("Running_Balance", "running balance"),
        ("Withdrawal (-)", "withdrawal"), ("\ufeffDate", "date"), ("ISO", "iso"),
    ],
)  # fmt: skip
def test_a_heading_is_compared_without_case_accents_brackets_and_currency(heading: str, word: str) -> None:
    assert bare(heading) == word


def test_the_day_of_the_booking_goes_before_other_days() -> None:
    proposal = proposal_of("Transaction Date,Posted Date,Value Date,Description,Amount\n")
    assert proposal is not None
    assert proposal.columns["booked_on"] == ("Posted Date",)
    assert proposal.columns["valued_on"] == ("Value Date",)


@pytest.mark.parametrize(
    "header",
    [
        "Date,Symbol,Description,Quantity,Price,Amount",
        "from-account,to-account,amount,date,description",
        "Date,Amount",
        "Description,Amount",
        "Date,Description",
        "Date,Description,Debit",
        "",
    ],
)
def test_what_is_no_list_of_bookings_is_left_alone(header: str) -> None:
    assert proposal_of(f"{header}\n") is None


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ("Data;Valor;Identificador;Descrição", "booked_on amount bank_id memo"),
        ("Buchungstag;Wertstellung (Valuta);Buchungstext;Umsatz in EUR", "booked_on valued_on memo amount"),
        ("Datum;Avisierungstext;Gutschrift in CHF;Lastschrift in CHF", "booked_on memo credit debit"),
        ("Date;Libellé;Débit euros;Crédit euros", "booked_on memo debit credit"),
        ("Datum;Naam / Omschrijving;Rekening;Bedrag (EUR);Mededelingen", "booked_on payee account amount memo"),
        ("Data_Operazione;Entrate;Uscite;Descrizione", "booked_on credit debit memo"),
        ("#Data księgowania;#Opis operacji;#Kwota;#Saldo po operacji", "booked_on memo amount balance"),
        ("ID operace;Datum;Objem;Měna;Název protiúčtu", "bank_id booked_on amount currency payee"),
        ("Bokföringsdag;Beskrivning;Belopp;Bokfört saldo", "booked_on memo amount balance"),
        ("Dato;Tekst;Beløb;Saldo", "booked_on memo amount balance"),
        ("Dato;Forklaring;Ut fra konto;Inn på konto", "booked_on memo debit credit"),
        ("Kirjauspäivä;Määrä EUROA;Saaja/Maksaja;Viesti", "booked_on amount payee memo"),
        ("Tarih;Açıklama;Tutar;Bakiye", "booked_on memo amount balance"),
        ("取引日;入出金(円);取引後残高(円);入出金内容", "booked_on amount balance memo"),
        ("Txn Date;Value Date;Narration;Withdrawal Amt.;Deposit Amt.;Closing Balance",
         "booked_on valued_on memo debit credit balance"),
        ("Transaction Date;Details;Transaction Amount;Billing Amount;Billing Currency",
         "booked_on memo - amount currency"),
        ("Datum;Beschreibung;Brutto;Netto;Guthaben;Transaktionscode", "booked_on memo - amount balance bank_id"),
    ],
)  # fmt: skip
def test_the_words_of_many_banks_are_known(header: str, columns: str) -> None:
    proposal = proposal_of(f"{header}\n")
    assert proposal is not None
    wanted = zip(columns.split(), header.split(";"), strict=True)
    assert proposal.columns == {field: (heading,) for field, heading in wanted if field != "-"}


def test_polish_and_czech_headings_say_which_codec_the_words_are_in(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes("Data operacji,Opis transakcji,Kwota\n2026-03-01,Płatność kartą,-1.00\n".encode("cp1250"))
    assert rows(Original.at(path))[0]["memo"] == "Płatność kartą"


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ('"Symbol","Description","Quantity","Price","Market Value","Cost Basis"', "holdings"),
        ("Date,Action,Symbol,Description,Quantity,Price,Amount", "trades"),
        ("Date,Close,Volume", "prices"),
        ("Order Date,Order ID,Title,Item Total", "orders of a shop"),
        ("from-account,to-account,amount,date,description", "moves between accounts"),
        ("Date,Sent Amount,Sent Currency,Received Amount,Received Currency", "exchanges of assets"),
    ],
)
def test_another_list_is_refused_as_what_it_is(tmp_path: Path, header: str, kind: str) -> None:
    assert other_list(f"As of yesterday\n\n{header}\n") == kind
    receipt = look(file_of(tmp_path, header, "2026-03-01,x,1.00,2.00").path, BERLIN, SOURCES)
    assert (receipt.source, receipt.problem) == (SOURCE.name, f"a list of {kind}, not of bookings")


def test_two_columns_of_one_name_are_both_kept(tmp_path: Path) -> None:
    original = file_of(tmp_path, "Date,Details,Amount,Currency,Amount,", "2026-03-01,Shop,-1.00,EUR,-1.10,x")
    assert rows(original)[0]["extra"] == '{"Amount (2)": "-1.10", "column 6": "x"}'
