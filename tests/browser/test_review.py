"""The review in a browser: by keyboard, by mouse, by touch, and without scripts."""

import uuid
from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from mnistweb.database.models import Prediction, ReviewDecision
from mnistweb.extensions import db
from mnistweb.predictions import review
from mnistweb.predictions.reviewed_labels import REJECTED
from tests.support.browser.accessibility import violations
from tests.support.browser.devices import DESKTOP, DEVICES, PHONE, PROJECTOR, SMALL_PHONE, NewPage
from tests.support.browser.overflow import covered, overflows
from tests.support.browser.targets import small_targets
from tests.support.drawings import digit_png
from tests.support.reviewers import PASSWORD, PASSWORD_HASH
from tests.support.rows import NOON, add, row

SIZES = {"desktop": DESKTOP, "phone": PHONE, "small phone": SMALL_PHONE, "projector": PROJECTOR}


@pytest.fixture(autouse=True)
def waiting(site: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[uuid.UUID]]:
    """Eight drawings that wait for a review: eights that are read as threes, ever less surely."""
    monkeypatch.setitem(site.config, "REVIEW_PASSWORD_HASH", PASSWORD_HASH)
    with site.app_context():
        db.session.execute(db.delete(Prediction))
        claims = [
            row(digit=3, label=8, labelled_at=NOON, confidence=0.99 - each / 100, drawing=digit_png(8))
            for each in range(8)
        ]
        ids = add(*claims)
    yield ids
    with site.app_context():
        db.session.execute(db.delete(Prediction))
        db.session.commit()


def log_in(page: Page) -> None:
    page.goto("/review")
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/review")


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def said(page: Page, words: str) -> None:
    expect(page.locator(".review-words")).to_have_text(words)


def labels(site: Flask, ids: list[uuid.UUID]) -> list[str]:
    with site.app_context():
        found = review.labels_of(ids)
        return [found[each].code for each in ids]


def test_everything_by_keyboard_alone(site: Flask, new_page: NewPage, waiting: list[uuid.UUID]) -> None:
    page = new_page(**DESKTOP)
    log_in(page)
    press(page, "Enter")
    said(page, "Decided: an eight.")
    press(page, "3", "n", "r")
    said(page, "Decided: rejected.")
    assert labels(site, waiting) == ["8", "3", "none", "rejected", "", "", "", ""]
    press(page, "Space", "j", "ArrowRight", "Space", "0")
    said(page, "Decided: a zero (2).")
    assert labels(site, waiting)[4:] == ["0", "", "0", ""]
    press(page, "u")
    said(page, "Taken back: 2 drawings.")
    press(page, "u")
    said(page, "Taken back: one drawing.")
    assert labels(site, waiting) == ["8", "3", "none", "", "", "", "", ""]
    press(page, "h")
    said(page, "Decided: hidden.")
    assert labels(site, waiting)[3] == "rejected"
    press(page, "a", "7")
    said(page, "Decided: a seven (4).")
    # All are decided: the focus is on the link to more of them.
    press(page, "Enter")
    expect(page.get_by_text("Nothing waits for a review.")).to_be_visible()
    assert labels(site, waiting) == ["8", "3", "none", "rejected", *["7"] * 4]
    page.get_by_role("link", name="8 reviewed").click()
    expect(page.get_by_text("A seven")).to_have_count(4)


def test_a_decided_drawing_can_be_decided_again(
    site: Flask, new_page: NewPage, waiting: list[uuid.UUID]
) -> None:
    page = new_page(**DESKTOP)
    log_in(page)
    press(page, "5", "k", "6")
    said(page, "Decided: a six.")
    expect(page.locator("[data-outcome]").first).to_have_text("a six")
    press(page, "u", "u")
    said(page, "Taken back: one drawing.")
    expect(page.locator("[data-outcome]").first).to_be_empty()
    assert labels(site, waiting)[0] == ""


def test_by_touch(site: Flask, new_page: NewPage, waiting: list[uuid.UUID]) -> None:
    page = new_page(**PHONE)
    log_in(page)
    page.locator(".review-tile img").nth(1).tap()
    page.locator(".review-tile img").nth(0).tap()
    expect(page.get_by_text("2 chosen")).to_be_visible()
    page.get_by_role("button", name="Not a digit").tap()
    said(page, "Decided: not a digit (2).")
    page.get_by_role("button", name="It is a nine").tap()
    said(page, "Decided: a nine.")
    page.get_by_role("button", name="Undo").tap()
    said(page, "Taken back: one drawing.")
    assert labels(site, waiting) == ["none", "none", *[""] * 6]


def test_a_decision_of_another_reviewer_is_noticed(
    site: Flask, new_page: NewPage, waiting: list[uuid.UUID]
) -> None:
    page = new_page(**DESKTOP)
    log_in(page)
    with site.app_context():
        review.decide_each({waiting[0]: REJECTED}, "Bob")
    press(page, "Enter")
    said(page, "One drawing had been decided by someone else, or deleted.")
    expect(page.locator("[data-outcome]").first).to_have_text("changed meanwhile")
    assert labels(site, waiting)[0] == "rejected"


def test_without_scripts(site: Flask, new_page: NewPage, waiting: list[uuid.UUID]) -> None:
    page = new_page(**DESKTOP, java_script_enabled=False)
    log_in(page)
    page.get_by_role("button", name="Accept").click()
    said(page, "Choose drawings first, then say what they are.")
    page.locator(".review-tile input").nth(0).check()
    page.locator(".review-tile input").nth(2).check()
    page.get_by_role("button", name="Accept").click()
    said(page, "Decided: an eight (2).")
    expect(page.locator(".review-tile")).to_have_count(6)
    page.get_by_role("button", name="Undo").click()
    said(page, "Taken back: 2 drawings.")
    assert labels(site, waiting) == [""] * 8
    page.get_by_role("button", name="Log out Ada").click()
    expect(page.get_by_label("Password")).to_be_visible()


def test_an_ended_login_loses_nothing(site: Flask, new_page: NewPage, waiting: list[uuid.UUID]) -> None:
    page = new_page(**DESKTOP)
    log_in(page)
    page.context.clear_cookies(name="review")
    press(page, "Enter")
    expect(page.get_by_text("You are no longer logged in.")).to_be_visible()
    expect(page.locator("[data-state]")).to_have_count(0)
    assert labels(site, waiting)[0] == ""


def test_a_failed_request_leaves_what_was_decided_and_its_undo(
    site: Flask, new_page: NewPage, waiting: list[uuid.UUID]
) -> None:
    page = new_page(**DESKTOP)
    log_in(page)
    press(page, "5")
    said(page, "Decided: a five.")
    decided = page.locator("[data-state=decided]")
    for path, keys in (("**/review/undo", "u"), ("**/review/decide", "k6")):
        page.route(path, lambda route: route.abort())
        press(page, *keys)
        expect(page.get_by_text("The server doesn’t answer.")).to_be_visible()
        expect(page.locator("[data-state]")).to_have_count(1)
        expect(decided.locator("[data-outcome]")).to_have_text("a five")
        page.unroute(path)
        press(page, "ArrowRight", "7")
        said(page, "Decided: a seven.")
        press(page, "u")
        said(page, "Taken back: one drawing.")
    press(page, "u")
    expect(decided).to_have_count(0)
    assert labels(site, waiting) == [""] * 8


@pytest.mark.parametrize("device", SIZES)
def test_pages_fit_and_axe_finds_nothing(new_page: NewPage, device: str, site: Flask) -> None:
    page = new_page(**SIZES[device], reduced_motion="reduce", color_scheme="light")

    def check() -> None:
        assert overflows(page) == []
        for scheme in ("light", "dark") if device in DEVICES else ("light",):
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            assert violations(page) == []

    page.goto("/review")
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_have_text("That isn’t the password.")
    check()
    log_in(page)
    press(page, "Space", "3")
    said(page, "Decided: a three.")
    press(page, "j", "Space")
    page.get_by_text("Filter", exact=True).click()
    page.get_by_text("Help and keys").click()
    check()
    page.goto("/review/decisions")
    check()
    assert covered(page) == []
    with site.app_context():
        assert db.session.query(ReviewDecision).count() == 1
    page.goto("/review?part=refused")
    check()
    assert covered(page) == []


def test_the_bar_leaves_room_for_drawings_in_a_page_at_400_percent(new_page: NewPage) -> None:
    page = new_page(viewport={"width": 320, "height": 256})
    log_in(page)
    assert overflows(page) + covered(page) == []
    press(page, "8")
    said(page, "Decided: an eight.")
    second = page.locator(".review-tile").nth(1)
    expect(second.get_by_role("checkbox")).to_be_focused()
    expect(second.get_by_role("checkbox")).to_be_in_viewport(ratio=1)


def test_everything_is_large_enough_to_be_hit(new_page: NewPage) -> None:
    page = new_page(**SMALL_PHONE)
    log_in(page)
    assert small_targets(page) == []
    press(page, "8")
    said(page, "Decided: an eight.")
    page.goto("/review/decisions")
    assert small_targets(page) == []
