"""Every state of every page, brought about as a visitor would meet it."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page, expect
from werkzeug.exceptions import Forbidden, TooManyRequests

from mnistweb.recognition.types import Answer
from tests.support.bad_images import BAD_FILES
from tests.support.browser.hand import draw, judge, predict, press, stroke
from tests.support.networks import asleep, nine


@dataclass(frozen=True, slots=True)
class Stage:
    """The things a state may need besides the page."""

    answering: Callable[..., None]
    break_database: Callable[[], None]
    lose_database: Callable[[], None]
    empty_database: Callable[[], None]
    hide_drawings: Callable[[], None]
    failing: Callable[[str, Exception], None]
    set_up: Callable[[str, object], None]
    second_network: Callable[[Answer | Exception], None]


def waiting(page: Page, stage: Stage) -> None:
    """The page as a first visitor finds it."""
    page.goto("/")
    expect(page.get_by_role("button", name="Predict")).to_be_visible()


def answered(page: Page, stage: Stage) -> None:
    waiting(page, stage)
    for digit, label in ((3, "Yes"), (8, "Not a digit"), (7, None)):
        stage.answering(digit, 0.984 if digit == 7 else 0.9991, second=2)
        draw(page, digit)
        predict(page)
        if label:
            judge(page, label)
            expect(page.locator("[data-said]")).to_be_visible()
            press(page, "Clear")
    landed(page)


def corrected(page: Page, stage: Stage) -> None:
    waiting(page, stage)
    stage.answering(9, 0.83, second=4)
    draw(page, 4)
    predict(page)
    page.get_by_label("Correct digit").fill("4")
    press(page, "Submit feedback")
    expect(page.locator("[data-said]")).to_be_visible()
    landed(page)


def unsure(page: Page, stage: Stage) -> None:
    waiting(page, stage)
    stage.answering(4, 0.52, second=9, not_a_digit=0.06)
    draw(page, 9)
    predict(page)
    landed(page)


def in_doubt(page: Page, stage: Stage) -> None:
    waiting(page, stage)
    stage.answering(7, 0.58, second=1, not_a_digit=0.36)
    draw(page, 7)
    predict(page)
    landed(page)


def refused(page: Page, stage: Stage) -> None:
    waiting(page, stage)
    stage.answering(None, 0.94, not_a_digit=0.94, reason="It looks more like a letter or a drawing.")
    for digit in (8, 4):
        draw(page, digit)
    predict(page)
    landed(page)


def thinking(page: Page, stage: Stage) -> None:
    waiting(page, stage)
    page.route("**/predictions", lambda _: None)
    draw(page, 5)
    press(page, "Predict")


def nothing_drawn(page: Page, stage: Stage) -> None:
    waiting(page, stage)
    press(page, "Predict")
    expect(page.get_by_role("alert")).to_be_visible()


def offline(page: Page, stage: Stage) -> None:
    waiting(page, stage)
    draw(page, 5)
    page.context.set_offline(True)
    press(page, "Predict")
    expect(page.get_by_role("alert")).to_be_visible()


def server_down(page: Page, stage: Stage) -> None:
    waiting(page, stage)
    draw(page, 6)
    page.route("**/predictions", lambda route: route.abort("connectionrefused"))
    press(page, "Predict")
    expect(page.get_by_role("alert")).to_be_visible()


def stale(page: Page, stage: Stage) -> None:
    """The answer to a drawing that has got another stroke since, without guesses."""
    answered(page, stage)
    page.get_by_label("Guess").uncheck()
    stroke(page, [(30, 30), (60, 200)])
    expect(page.get_by_text("That was your previous drawing.")).to_be_visible()


def relabelling(page: Page, stage: Stage) -> None:
    answered(page, stage)
    page.get_by_role("link", name="Not a digit, change it").click()
    expect(page.get_by_role("button", name="It’s right")).to_be_visible()


def deleting(page: Page, stage: Stage) -> None:
    answered(page, stage)
    page.get_by_role("button", name="Delete this drawing").first.click()
    expect(page.get_by_role("button", name="Undo the deletion")).to_be_visible()


def not_saved(page: Page, stage: Stage) -> None:
    waiting(page, stage)
    stage.answering(2, 0.997)
    stage.break_database()
    draw(page, 2)
    predict(page)


def hurried(page: Page, stage: Stage) -> None:
    waiting(page, stage)
    stage.failing("draw.predict", TooManyRequests(retry_after=30))
    draw(page, 5)
    press(page, "Predict")
    expect(page.get_by_role("alert")).to_be_visible()


def too_large(page: Page, stage: Stage) -> None:
    waiting(page, stage)
    upload_much(page, stage)
    expect(page.get_by_role("alert")).to_be_visible()


def feedback_lost(page: Page, stage: Stage) -> None:
    waiting(page, stage)
    stage.answering(9, 0.83, second=4)
    draw(page, 4)
    predict(page)
    page.route("**/feedback", lambda route: route.abort("connectionrefused"))
    page.get_by_label("Correct digit").fill("4")
    press(page, "Submit feedback")
    expect(page.get_by_role("alert")).to_be_visible()
    landed(page)


def keyboard(page: Page, stage: Stage) -> None:
    waiting(page, stage)
    page.locator("#slate").focus()
    for key in ["ArrowUp"] * 5 + ["Space"] + ["ArrowDown"] * 9:
        page.keyboard.press(key)


def history(page: Page, stage: Stage) -> None:
    answered(page, stage)
    in_doubt(page, stage)
    page.goto("/history?limit=12")


def history_gallery(page: Page, stage: Stage) -> None:
    answered(page, stage)
    in_doubt(page, stage)
    page.goto("/history?view=gallery&limit=12")


def history_filtered(page: Page, stage: Stage) -> None:
    page.goto("/history?digit=3&certainty=doubtful&verdict=wrong&from=2026-01-01")
    page.get_by_text("Filter", exact=True).click()


def history_empty(page: Page, stage: Stage) -> None:
    stage.empty_database()
    page.goto("/history")


def history_off(page: Page, stage: Stage) -> None:
    stage.set_up("PUBLIC_HISTORY", "off")
    answered(page, stage)


def history_of_ones_own(page: Page, stage: Stage) -> None:
    stage.set_up("PUBLIC_HISTORY", "own")
    history(page, stage)


def prediction(page: Page, stage: Stage) -> None:
    waiting(page, stage)
    stage.answering(4, 0.83, second=9)
    draw(page, 4)
    page.goto(f"/predictions/{predict(page)}")
    expect(page.get_by_role("button", name="Replay")).to_be_enabled()


def film(page: Page, stage: Stage) -> None:
    """A replay in the middle, by the site's own model."""
    waiting(page, stage)
    draw(page, 7)
    page.goto(f"/predictions/{predict(page)}")
    expect(page.locator(".film-playhead")).to_be_visible()
    page.get_by_label("How much of it is drawn").fill("0.4")
    page.get_by_text("Show as a list").click()
    expect(page.get_by_text("Replay, 40\u00a0% drawn.")).to_be_visible()


def prediction_of_another(page: Page, stage: Stage) -> None:
    waiting(page, stage)
    draw(page, 4)
    address = f"/predictions/{predict(page)}"
    page.context.clear_cookies()
    page.goto(address)
    expect(page.get_by_text("Only its author can rate it.")).to_be_visible()


def prediction_of_another_compared(page: Page, stage: Stage) -> None:
    stage.second_network(nine())
    prediction_of_another(page, stage)
    press(page, "Compare all models")
    expect(page.locator("[data-opinion][data-state='said']")).to_have_count(2)


def answer_gone(page: Page, stage: Stage) -> None:
    page.goto("/?answer=00000000-0000-4000-8000-000000000000")
    expect(page.get_by_text("That drawing was deleted, or it isn’t public.")).to_be_visible()


def prediction_corrected(page: Page, stage: Stage) -> None:
    corrected(page, stage)
    page.goto(f"/predictions/{page.locator('#answer').get_attribute('data-prediction-id')}")
    expect(page.get_by_role("button", name="Replay")).to_be_enabled()


def own_word_changed(page: Page, stage: Stage) -> None:
    answered(page, stage)
    page.get_by_role("link", name="Say what it was").click()


def own_deletion(page: Page, stage: Stage) -> None:
    answered(page, stage)
    page.get_by_text("Delete all my drawings").click()
    expect(page.get_by_text("all 3 of your drawings")).to_be_visible()


def hidden_by_operator(page: Page, stage: Stage) -> None:
    answered(page, stage)
    stage.hide_drawings()
    page.goto("/history?mine=1")
    expect(page.get_by_text("hidden by the operator")).to_have_count(3)


def history_reviewed(page: Page, stage: Stage) -> None:
    answered(page, stage)
    stage.set_up("PUBLIC_HISTORY", "reviewed")
    page.goto("/history?mine=1&view=gallery")
    expect(page.get_by_text("not public yet")).to_have_count(3)


def compared(page: Page, stage: Stage) -> None:
    stage.second_network(nine())
    waiting(page, stage)
    draw(page, 4)
    predict(page)
    press(page, "Compare all models")
    expect(page.locator("[data-opinion][data-state='said']")).to_have_count(2)
    landed(page)


def compared_in_part(page: Page, stage: Stage) -> None:
    stage.second_network(asleep())
    waiting(page, stage)
    draw(page, 4)
    predict(page)
    press(page, "Compare all models")
    expect(page.locator("[data-opinion='second'][data-state='failed']")).to_be_visible()
    landed(page)


def inside(page: Page, stage: Stage) -> None:
    waiting(page, stage)
    draw(page, 4)
    predict(page)
    landed(page)
    press(page, "Look inside")
    expect(page.locator("[data-inside] .sheet-mark")).to_have_count(4)


def inside_lenet5(page: Page, stage: Stage) -> None:
    inside(page, stage)
    page.get_by_role("navigation", name="Look inside another model").get_by_text("LeNet").click()
    expect(page.locator("[data-inside][data-model='lenet5'] .sheet-mark").first).to_be_visible()


def inside_vit(page: Page, stage: Stage) -> None:
    inside(page, stage)
    page.get_by_role("navigation", name="Look inside another model").get_by_text("Vision").click()
    expect(page.locator("[data-inside][data-model='vit'] .sheet-mark").first).to_be_visible()


def inside_of_another_network(page: Page, stage: Stage) -> None:
    waiting(page, stage)
    draw(page, 4)
    page.goto(f"/predictions/{predict(page)}/inside?model=vit")
    expect(page.get_by_role("heading", name="Where it looks")).to_be_visible()


def insights(page: Page, stage: Stage) -> None:
    answered(page, stage)
    in_doubt(page, stage)
    judge(page, "Yes")
    expect(page.locator("[data-said]")).to_be_visible()
    page.goto("/insights")


def insights_empty(page: Page, stage: Stage) -> None:
    stage.empty_database()
    page.goto("/insights")


def challenge(page: Page, stage: Stage) -> None:
    page.goto("/challenge")
    expect(page.get_by_role("button", name="Start")).to_be_visible()


def challenge_running(page: Page, stage: Stage) -> None:
    begin_round(page, stage)
    draw(page, 8)
    press(page, "That’s it")
    expect(page.locator(".course-place[data-right='false']")).to_have_count(1)
    draw(page, 4)
    expect(page.locator("[data-guess]")).to_have_text("No digit so far…")


def challenge_over(page: Page, stage: Stage) -> None:
    page.clock.install()
    begin_round(page, stage)
    for digit in (8, 4):
        draw(page, digit)
        press(page, "That’s it")
    expect(page.locator(".course-place[data-right]")).to_have_count(2)
    page.clock.run_for(31_000)
    expect(page.get_by_role("heading", name="Time’s up!")).to_be_visible()


def challenge_unsent(page: Page, stage: Stage) -> None:
    page.clock.install()
    begin_round(page, stage)
    page.context.set_offline(True)
    draw(page, 8)
    press(page, "That’s it")
    page.clock.run_for(36_000)
    press(page, "See the results")
    expect(page.get_by_role("heading", name="Not everything is saved yet")).to_be_visible()


def challenge_results(page: Page, stage: Stage) -> None:
    challenge_over(page, stage)
    press(page, "See the results")
    expect(page.get_by_role("heading", name="0 of 2 read right")).to_be_visible()


def challenge_results_of_another(page: Page, stage: Stage) -> None:
    challenge_results(page, stage)
    page.context.clear_cookies()
    page.reload()
    expect(page.get_by_role("link", name="Try it yourself")).to_be_visible()


def challenge_rounds(page: Page, stage: Stage) -> None:
    challenge_results(page, stage)
    challenge(page, stage)
    expect(page.get_by_role("heading", name="Your latest rounds")).to_be_visible()


def insights_of_challenges(page: Page, stage: Stage) -> None:
    challenge_over(page, stage)
    page.goto("/insights")
    expect(page.get_by_role("heading", name="From the challenge")).to_be_visible()


def networks(page: Page, stage: Stage) -> None:
    page.goto("/models")


def network(page: Page, stage: Stage) -> None:
    page.goto("/models/cnn")


def api(page: Page, stage: Stage) -> None:
    page.goto("/models")
    page.get_by_role("link", name="API").click()
    expect(page.get_by_role("heading", name="POST /api/v1/predictions", exact=True)).to_be_visible()


def wrong_address(page: Page, stage: Stage) -> None:
    page.goto("/nowhere")


def page_of_another_site(page: Page, stage: Stage) -> None:
    stage.failing("registry.index", Forbidden())
    page.goto("/models")


def page_too_large(page: Page, stage: Stage) -> None:
    waiting(page, stage)
    # The form as it is without a script: none of the page's listeners is on a copy.
    page.locator("[data-draw]").evaluate("form => form.replaceWith(form.cloneNode(true))")
    upload_much(page, stage)
    press(page, "Predict")
    page.wait_for_url("**/predictions")


def page_hurried(page: Page, stage: Stage) -> None:
    stage.failing("history.index", TooManyRequests(retry_after=30))
    page.goto("/history")


def page_broken(page: Page, stage: Stage) -> None:
    stage.failing("registry.index", RuntimeError("a fault in the program"))
    page.goto("/models")


def database_away(page: Page, stage: Stage) -> None:
    stage.lose_database()
    waiting(page, stage)


def history_away(page: Page, stage: Stage) -> None:
    stage.lose_database()
    page.goto("/history")


STATES: dict[str, Callable[[Page, Stage], None]] = {
    state.__name__.replace("_", "-"): state
    for state in (
        waiting,
        answered,
        corrected,
        unsure,
        in_doubt,
        refused,
        thinking,
        nothing_drawn,
        offline,
        server_down,
        stale,
        relabelling,
        deleting,
        not_saved,
        hurried,
        too_large,
        feedback_lost,
        keyboard,
        history,
        history_gallery,
        history_filtered,
        history_empty,
        history_off,
        history_of_ones_own,
        prediction,
        film,
        prediction_corrected,
        prediction_of_another,
        prediction_of_another_compared,
        answer_gone,
        own_word_changed,
        own_deletion,
        hidden_by_operator,
        history_reviewed,
        compared,
        compared_in_part,
        inside,
        inside_lenet5,
        inside_vit,
        inside_of_another_network,
        insights,
        insights_empty,
        challenge,
        challenge_running,
        challenge_over,
        challenge_unsent,
        challenge_results,
        challenge_results_of_another,
        challenge_rounds,
        insights_of_challenges,
        networks,
        network,
        api,
        wrong_address,
        page_of_another_site,
        page_too_large,
        page_hurried,
        page_broken,
        database_away,
        history_away,
    )
}


def begin_round(page: Page, stage: Stage) -> None:
    """Begin a challenge on a site that reads no digit in any drawing."""
    challenge(page, stage)
    stage.answering(None, 0.94, not_a_digit=0.94, reason="It looks more like a letter or a drawing.")
    press(page, "Start")
    expect(page.locator("[data-challenge][data-state='running']")).to_be_visible()


def landed(page: Page) -> None:
    """The picture that flew into its box is there."""
    expect(page.locator(".seen img")).to_have_js_property("complete", True)
    page.wait_for_selector(".flight", state="detached")


def upload_much(page: Page, stage: Stage) -> None:
    """Send a file that is larger than the site takes."""
    stage.set_up("MAX_IMAGE_BYTES", 100_000)
    content, kind, *_ = BAD_FILES["too many bytes"]
    page.get_by_label("Upload").set_input_files({"name": "photo.png", "mimeType": kind, "buffer": content})
