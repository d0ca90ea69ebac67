"""Foreign calendar files, in the dialects of the products that write them, and files made to do harm."""

from __future__ import annotations

from pathlib import Path

import pytest

from calendar_ext.domain.ics import read
from calendar_ext.domain.series import expand_object
from calendar_ext.domain.when import Span, instant, is_zone, wall_at
from calendar_ext.errors import Refused
from calendar_ext.limits import Limits

SPECIMENS = Path(__file__).parents[1] / "specimens"
TWO_YEARS = Span(instant("2026-01-01", ""), instant("2028-01-01", ""))
HEAD = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\n"
TAIL = "END:VCALENDAR\r\n"
PERIOD = "RDATE;VALUE=PERIOD:20261124T080000Z"


def specimen(name: str):
    return read((SPECIMENS / f"{name}.ics").read_bytes())


def calendar(*lines: str):
    """A file with one event, or with the components that are given whole."""
    body = list(lines) if lines and lines[0].startswith("BEGIN:") else ["BEGIN:VEVENT", *lines, "END:VEVENT"]
    return read(HEAD + "".join(f"{line}\r\n" for line in body) + TAIL)


def single(*lines: str):
    parsed = calendar("UID:1", "SUMMARY:S", *lines)
    assert len(parsed.events) == 1, parsed.refused
    return parsed.events[0]


def shown(parsed, window: Span = TWO_YEARS):
    """Every occurrence of a file as `(start on its own wall, title)`."""
    objects: dict[str, list] = {}
    for row in parsed.events:
        objects.setdefault(row["object_id"], []).append(row)
    found = [one for rows in objects.values() for one in expand_object(rows, window)]
    return sorted((wall_at(one.start, one.row["start_zone"])[:16].replace("T", " "), one.row["title"]) for one in found)


def notes(parsed):
    return {refusal.name: refusal.reason for refusal in parsed.refused}


def test_google_writes_single_events_as_instants_and_series_in_a_zone():
    parsed = specimen("google_instants_and_a_named_series")
    assert (parsed.calendar_name, parsed.time_zone, parsed.refused) == ("Mira Example", "Europe/Berlin", [])
    assert shown(parsed)[:4] == [
        ("2026-11-02 09:00", "Weekly"),
        ("2026-11-17 14:00", "Weekly (moved)"),
        ("2026-11-23 08:00", "First interview, room 5"),
        ("2026-11-23 09:00", "Weekly"),
    ]
    first = parsed.events[0]
    assert first["description"].endswith("Join: https://meet.example/abc-defg-hij")
    assert first["online_url"] == "https://meet.example/abc-defg-hij"
    assert first["location"] == "Hauptstraße 1, 10115 Berlin"
    mira, tom = first["attendees"]
    assert (mira.name, mira.response, mira.organizer) == ("Mira Example", "accepted", True)
    assert (tom.email, tom.response, tom.role) == ("tom@example.net", "needs_action", "optional")
    assert (first["sequence"], first["remote_updated"]) == (2, instant("2026-11-02T09:15:00", "UTC") * 1000)


def test_outlook_names_zones_as_windows_does_and_knows_being_away():
    (row,) = specimen("outlook_windows_zone_and_busy_status").events
    assert (row["start_wall"], row["start_zone"]) == ("2026-11-24T09:00:00", "Europe/Berlin")
    assert (row["show_as"], row["visibility"], row["title"]) == ("away", "private", "Fortbildung")
    assert row["ical_uid"].endswith("AAAABBBBCCCCDDDDEEEEFFFF00001111") and " " not in row["ical_uid"]


def test_exchange_names_occurrences_of_dates_by_midnight():
    assert shown(specimen("exchange_all_day_series_named_by_midnight")) == [
        ("2026-11-05 00:00", "Bins"),
        ("2026-12-04 00:00", "Bins (a day late)"),
        ("2026-12-17 00:00", "Bins"),
    ]


def test_apple_cancels_occurrences_and_knows_birthdays_without_a_year():
    parsed = specimen("apple_cancelled_occurrence_and_duration")
    training = [start for start, title in shown(parsed) if title == "Training"]
    assert training == ["2026-10-20 19:30", "2026-11-03 19:30", "2026-11-10 19:30", "2026-11-17 19:30"]
    assert parsed.events[0]["end_wall"] == "2026-10-20T21:00:00"
    leap = Span(instant("2028-01-01", ""), instant("2029-01-01", ""))
    assert shown(parsed, leap) == [("2028-02-29 00:00", "Lena's birthday")]


def test_thunderbird_puts_a_vendor_before_the_zone():
    parsed = specimen("thunderbird_vendor_prefix_of_a_zone")
    assert parsed.events[0]["start_zone"] == "America/New_York"
    assert len(shown(parsed)) == 5


def test_nextcloud_lists_dates_on_one_line_and_on_many():
    assert shown(specimen("nextcloud_lists_of_dates")) == [
        ("2026-11-01 00:00", "Duty"),
        ("2026-11-02 10:00", "Clinic"),
        ("2026-11-04 10:00", "Clinic"),
        ("2026-11-05 00:00", "Duty"),
        ("2026-11-06 00:00", "Duty"),
        ("2026-11-18 10:00", "Clinic"),
    ]


def test_fastmail_floats_and_flies():
    pill, flight = specimen("fastmail_floating_time_and_far_end").events
    assert (pill["start_zone"], pill["end_wall"]) == ("", "2026-11-20T08:05:00")
    assert (flight["start_zone"], flight["end_zone"]) == ("Europe/Berlin", "America/New_York")
    assert flight["end_at"] - flight["start_at"] == 9 * 3600


def test_what_has_no_uid_gets_the_same_one_every_time():
    one, other = specimen("zoho_without_uid_or_end"), specimen("zoho_without_uid_or_end")
    assert [row["ical_uid"] for row in one.events] == [row["ical_uid"] for row in other.events]
    assert len({row["object_id"] for row in one.events}) == 2
    call, inventory = one.events
    assert (call["start_zone"], call["end_at"] - call["start_at"]) == ("Asia/Kolkata", 0)
    assert (inventory["start_wall"], inventory["end_wall"]) == ("2026-11-24", "2026-11-25")


def test_a_zone_under_a_display_name_is_found_by_its_offsets():
    parsed = specimen("yahoo_display_name_as_zone")
    assert parsed.events[0]["start_zone"] == "America/New_York"
    assert parsed.refused == []


def test_a_zone_nobody_knows_is_kept_by_its_offsets_and_said():
    parsed = specimen("unknown_zone_with_odd_offsets")
    assert shown(parsed) == [
        ("2026-11-23 10:00", "Somewhere"),
        ("2026-11-23 10:00", "Transit"),
        ("2026-11-23 13:00", "Call to Brazil"),
    ]
    assert all(refusal.facts["kept"] for refusal in parsed.refused)
    assert "Observatory" in notes(parsed)["Transit"]
    assert "Observatory" in parsed.events[0]["extra"]


def test_old_mozilla_leaves_blank_lines_between_folds():
    (row,) = specimen("old_mozilla_folds_with_blank_lines").events
    assert (row["title"], row["start_wall"]) == ("Christmas Day", "2026-12-25")


def test_one_bad_event_costs_none_of_the_others():
    parsed = specimen("one_bad_event_among_good")
    titles = [row["title"] for row in parsed.events]
    assert titles == ["Before", "Every second", "With a strange exception", "Backwards", "After"]
    assert notes(parsed) == {
        "Without a start": "it has no start",
        "On 31 February": "'20260231T080000Z' is not a date",
        "Every second": "its repetition is not followed as written: FREQ=SECONDLY is not expanded",
        "With a strange exception": "EXDATE 'TOMORROW' is not a date",
        "Backwards": "it ends before it starts; the two were exchanged",
        "File the taxes": "it is a task, not an event",
        "Cut off": "it is cut off",
    }
    kept = {refusal.name for refusal in parsed.refused if refusal.facts.get("kept")}
    assert kept == {"Every second", "With a strange exception", "Backwards"}
    assert parsed.events[1]["rules_state"] == "refused"
    assert len(shown(parsed)) == 6


def test_an_override_may_come_without_its_master():
    (row,) = specimen("override_without_its_master").events
    assert (row["kind"], row["recurrence_key"], row["object_id"]) == ("override", "20261123T150000Z", "invited-once")


def test_line_breaks_that_were_not_escaped_belong_to_the_text():
    (row,) = specimen("line_breaks_that_were_not_escaped").events
    assert row["description"] == "Dear guest,\nwe look forward to your visit\nat our salon."
    assert row["start_at"] == instant("2026-11-23T10:00:00", "UTC")


def test_an_end_given_as_a_date_includes_that_day():
    assert [start[:10] for start, _ in shown(specimen("lotus_until_as_a_date"))] == [
        "2026-01-22", "2026-02-26", "2026-03-26", "2026-04-23",
    ]  # fmt: skip


def test_two_events_with_one_uid_are_both_kept_and_two_versions_are_not():
    parsed = specimen("hotel_same_uid_for_everything")
    assert [row["title"] for row in parsed.events] == ["Arrival", "Departure", "Breakfast at eight"]
    assert len({row["object_id"] for row in parsed.events}) == 3
    assert notes(parsed)["Breakfast at seven"] == "a newer version of it is in the same file"


@pytest.mark.parametrize("path", sorted(SPECIMENS.glob("*.ics")), ids=lambda path: path.stem)
def test_every_specimen_reads_the_same_with_any_line_ends_and_encoding(path):
    text = path.read_bytes().decode()
    expected = read(text).events
    for other in (text.replace("\r\n", "\n"), text.replace("\r\n", "\n").replace("\n", "\r"), "\ufeff" + text):
        assert len(read(other.encode()).events) == len(expected)
    assert [row["title"] for row in read(text.encode("utf-16")).events] == [row["title"] for row in expected]


def test_what_windows_wrote_in_its_own_encoding_is_read():
    data = (
        HEAD + "BEGIN:VEVENT\r\nUID:1\r\nDTSTART:20261123T080000Z\r\nSUMMARY:Prüfung\r\nEND:VEVENT\r\n" + TAIL
    ).encode("cp1252")
    assert read(data).events[0]["title"] == "Prüfung"


@pytest.mark.parametrize(
    ("lines", "end"),
    [
        (["DTSTART:20261123T080000Z", "DTEND:20261123T090000Z"], "2026-11-23T09:00:00"),
        (["DTSTART:20261123T080000Z", "DURATION:PT90M"], "2026-11-23T09:30:00"),
        (["DTSTART:20261123T080000Z", "DURATION:P1DT1H"], "2026-11-24T09:00:00"),
        (["DTSTART:20261123T080000Z"], "2026-11-23T08:00:00"),
        (["DTSTART:20261123T080000Z", "DURATION:-PT5M"], "2026-11-23T08:00:00"),
        (["DTSTART:20261123T080000Z", "DTEND;VALUE=DATE:20261124"], "2026-11-24T00:00:00"),
        (["DTSTART;VALUE=DATE:20261123"], "2026-11-24"),
        (["DTSTART;VALUE=DATE:20261123", "DTEND;VALUE=DATE:20261123"], "2026-11-24"),
        (["DTSTART;VALUE=DATE:20261123", "DURATION:P2D"], "2026-11-25"),
        (["DTSTART;VALUE=DATE:20261123", "DTEND:20261124T120000Z"], "2026-11-25"),
        (["DTSTART:20261123", "DTEND:20261125"], "2026-11-25"),
        (["DTSTART;VALUE=DATE:20261123T000000"], "2026-11-24"),
        (["DTSTART;TZID=Europe/Berlin:20260328T120000", "DURATION:P1D"], "2026-03-29T12:00:00"),
        (["DTSTART;TZID=Europe/Berlin:20260328T120000", "DURATION:PT24H"], "2026-03-29T13:00:00"),
    ],
)
def test_an_end_is_found_however_it_is_written(lines, end):
    assert single(*lines)["end_wall"] == end


@pytest.mark.parametrize(
    ("line", "column", "value"),
    [
        ("TRANSP:TRANSPARENT", "show_as", "free"),
        ("X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE", "show_as", "tentative"),
        ("X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE", "show_as", "elsewhere"),
        ("CLASS:CONFIDENTIAL", "visibility", "private"),
        ("CLASS:X-SECRET", "visibility", "private"),
        ("CLASS:PUBLIC", "visibility", "public"),
        ("STATUS:TENTATIVE", "status", "tentative"),
        ("STATUS:CANCELLED", "status", "cancelled"),
        ("SEQUENCE:abc", "sequence", 0),
        ("DESCRIPTION:a\\\\nb\\, c\\; d\\n e\\N f", "description", "a\\nb, c; d\n e\n f"),
        ('DESCRIPTION;ALTREP="data:text/html;x:y":text', "description", "text"),
        ("LOCATION;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:M=C3=BCnchen", "location", "München"),
        ("X-GOOGLE-CONFERENCE:javascript:alert(1)", "online_url", ""),
        ("RRULE:FREQ=DAILY\\;COUNT=2", "rules", "RRULE:FREQ=DAILY;COUNT=2"),
        ("RRULE:", "kind", "single"),
        ("ATTENDEE;CN=No address:invalid:nomail", "attendees", []),
    ],
)
def test_a_property_says_what_its_product_means(line, column, value):
    assert single("DTSTART:20261123T080000Z", line)[column] == value


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("/Europe/Stockholm", "Europe/Stockholm"),
        ("/freeassociation.sourceforge.net/Tzfile/Europe/Berlin", "Europe/Berlin"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("w. europe standard time", "Europe/Berlin"),
        ("US-Eastern", "US/Eastern"),
        ("Customized", "Asia/Tokyo"),
    ],
)
def test_a_zone_is_known_by_many_names(name, zone):
    text = HEAD + f"BEGIN:VEVENT\r\nUID:1\r\nDTSTART;TZID={name}:20261123T090000\r\nEND:VEVENT\r\n" + TAIL
    assert read(text, zones={"Customized": "Asia/Tokyo"}).events[0]["start_zone"] == zone


HOSTILE_ZONES = [
    "../../etc/passwd", "/etc/passwd", "../../../../../../etc/shadow", "Europe/../../../etc/passwd",
    "C:\\Windows\\win.ini", "\\\\server\\share", "file:///etc/passwd", "http://evil.example/zone", ".", "..", "/", "//",
    "posix/../../etc/passwd", "zone.tab", "tzdata.zi", "leapseconds", "Europe", "posixrules/", "%2e%2e%2fetc%2fpasswd",
    "Europe/Berlin\x00.txt", "Europe/Berlin/../Paris", "~root", "$HOME", "`id`", "$(id)", "A" * 5000, "\u202eBerlin",
    "Европа/Берлин", "-", "NUL",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE_ZONES, ids=range(len(HOSTILE_ZONES)))
def test_a_zone_is_a_name_and_never_a_path(name):
    parsed = calendar("UID:1", "SUMMARY:S", f'DTSTART;TZID="{name}":20261123T090000')
    for row in parsed.events:
        assert row["start_zone"] == "" or is_zone(row["start_zone"])
        assert ".." not in row["start_zone"]


def test_a_file_that_is_too_large_is_refused_with_a_sentence():
    with pytest.raises(Refused, match="larger than 5 MiB"):
        read(b"x" * (5 * 2**20 + 1))
    with pytest.raises(Refused, match="larger than 20 MiB"):
        read(b"x" * (21 * 2**20), most_bytes=20 * 2**20)


@pytest.mark.parametrize(
    "data", [b"", b"\x00" * 100, b"PK\x03\x04 zip", b"<html></html>", b"BEGIN:VCARD\r\nEND:VCARD\r\n"]
)
def test_what_is_no_calendar_is_refused_with_a_sentence(data):
    with pytest.raises(Refused, match="not a calendar file"):
        read(data)


def event_of(*lines: str) -> str:
    return "\r\n".join(("BEGIN:VEVENT", "UID:x", "SUMMARY:Bomb", "DTSTART:20261123T080000Z", *lines, "END:VEVENT", ""))


GOOD = event_of().replace("Bomb", "Good").replace("UID:x", "UID:good")
BOMBS = {
    "a line of 4 MB": (event_of("DESCRIPTION:" + "x" * 4_000_000), "it is too large"),
    "many long lines": (event_of(*["COMMENT:" + "x" * 60_000] * 30), "it is too large"),
    "five thousand deep": (event_of(*["BEGIN:VALARM"] * 5000), "it is nested too deep"),
    "events in events": ("BEGIN:VEVENT\r\nSUMMARY:Bomb\r\n" * 200, "it is cut off"),
    "many guests": (
        event_of(*[f"ATTENDEE:mailto:{number}@x.org" for number in range(5000)]),
        "it has more than 500 guests",
    ),
    "no end": ("BEGIN:VEVENT\r\nSUMMARY:Bomb\r\n", "it is cut off"),
}


@pytest.mark.parametrize(("bomb", "reason"), BOMBS.values(), ids=BOMBS.keys())
def test_a_bomb_is_refused_by_name_and_its_neighbours_live(bomb, reason):
    parsed = read(HEAD + GOOD + bomb + GOOD.replace("UID:good", "UID:good-2") + TAIL)
    assert {"Good"} <= {row["title"] for row in parsed.events}
    assert reason in {refusal.reason for refusal in parsed.refused if refusal.name == "Bomb"}


def test_twenty_megabytes_in_one_line_are_no_trouble():
    text = HEAD + event_of("DESCRIPTION:" + "x" * (19 * 2**20)) + GOOD + TAIL
    assert [row["title"] for row in read(text, most_bytes=20 * 2**20).events] == ["Good"]


def test_alarms_are_left_aside_however_many():
    row = single("DTSTART:20261123T080000Z", *["BEGIN:VALARM", "SUMMARY:Wrong", "TRIGGER:-PT5M", "END:VALARM"] * 200)
    assert row["title"] == "S"


def test_a_long_line_is_left_out_and_said():
    parsed = calendar("UID:1", "SUMMARY:S", "DTSTART:20261123T080000Z", "ATTACH:" + "x" * 70_000)
    assert notes(parsed) == {"S": "ATTACH is too long and was left out"}


def test_long_texts_are_shortened_and_said():
    parsed = calendar("UID:1", "DTSTART:20261123T080000Z", "SUMMARY:" + "x" * 2000, "DESCRIPTION:" + "y" * 9000)
    (row,) = parsed.events
    assert (len(row["title"]), len(row["description"])) == (Limits().title_length, Limits().description_length)
    assert len(parsed.refused) == 2


@pytest.mark.parametrize(
    ("line", "column", "value"),
    [
        ('LOCATION;X="never closed:Room 5', "location", "Room 5"),
        ("LOCATION;=;X=1;:Room 5", "location", "Room 5"),
        ("LOCATION", "location", ""),
        ("LAST-MODIFIED:whenever", "remote_updated", None),
        ("DURATION:P99999W", "end_wall", "3943-05-31T08:00:00"),
        ("END:VALARM", "title", "S"),
        (f"{PERIOD}/20261124T100000Z", "rules", f"{PERIOD}/PT7200S"),
    ],
)
def test_a_line_that_is_a_little_wrong_costs_nothing_else(line, column, value):
    assert single("DTSTART:20261123T080000Z", line)[column] == value


def test_an_event_beyond_the_calendar_is_refused():
    parsed = calendar("UID:1", "SUMMARY:S", "DTSTART:99990101T080000Z", "DURATION:P99999W")
    assert notes(parsed) == {"S": "it lasts beyond the calendar"}


def test_a_zone_whose_description_is_broken_is_an_unknown_zone():
    zone = (
        "BEGIN:VTIMEZONE",
        "TZID:Own",
        "BEGIN:STANDARD",
        "DTSTART:never",
        "TZOFFSETTO:+1",
        "END:STANDARD",
        "END:VTIMEZONE",
    )
    parsed = calendar(*zone, "BEGIN:VEVENT", "UID:1", "SUMMARY:S", "DTSTART;TZID=Own:20261123T080000", "END:VEVENT")
    assert "'Own' is not known" in notes(parsed)["S"]


def test_an_event_may_stand_alone():
    assert read(GOOD).events[0]["title"] == "Good"


def test_several_calendars_in_one_file_are_one():
    parsed = read(HEAD + GOOD + TAIL + HEAD + GOOD.replace("UID:good", "UID:other") + TAIL)
    assert len(parsed.events) == 2


def test_a_change_of_all_later_occurrences_is_said_not_to_be_followed():
    parsed = calendar(
        "UID:1", "SUMMARY:S", "RECURRENCE-ID;RANGE=THISANDFUTURE:20261123T080000Z", "DTSTART:20261123T090000Z"
    )
    assert parsed.events[0]["kind"] == "override"
    assert "all later occurrences" in notes(parsed)["S"]
