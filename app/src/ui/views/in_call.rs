//! A call from dialling to its end.

use super::banner::{banners_height, banners_ui};
use super::declining::quotation_ui;
use super::devices::verdict_ui;
use super::facts::{facts_ui, is_silent, reconnecting};
use super::lasted_text;
use super::places::Places;
use super::receipt::{Figures, receipt_ui};
use super::stage::{apart_ui, full_screen_ui};
use super::trend::trend_ui;
use crate::engine::command::{Command, Sharing};
use crate::engine::view::{CallPhase, CallView, ContactId, View};
use crate::reason::Reason;
use crate::ui::command::UiCommand;
use crate::ui::corner::Corner;
use crate::ui::state::{Compared, Page, Stage, UiState};
use crate::ui::text::{self, announce, call as words, told};
use crate::ui::theme::{font, pace, palette, size};
use crate::ui::widgets::{
    Avatar, Facing, Picture, Pill, RoundButton, TextButton, Tone, card, centered_column, centered_row, label,
    name, text_width,
};
use egui::{Pos2, Rect, Ui, UiBuilder, Vec2, vec2};
use egui_material_icons::icons;
use media::session::{Camera, Mute};
use media::video::driver::{Screen, Viewfinder};
use std::time::{Duration, Instant};

/// Calling, ringing there, connecting or talking.
pub(super) fn in_call_ui(
    ui: &mut Ui,
    view: &View,
    call: &CallView,
    state: &mut UiState,
    wishes: &mut Vec<Command>,
) {
    banners_ui(ui, call, state, wishes);
    Picture::follow(ui, &mut state.picture, call.screen.as_ref().and_then(Screen::latest));
    if let CallPhase::Active { since } = call.phase
        && state.picture.is_some()
    {
        match state.stage {
            Stage::Window => return filmed_ui(ui, view, call, state, since, wishes),
            Stage::FullScreen => return full_screen_ui(ui, view, call, state, wishes),
            Stage::Apart => apart_ui(ui, view, call, state, wishes),
        }
    }
    let room = ui.available_rect_before_wrap();
    let places = Places::of(room);
    if call.with == ContactId::Echo {
        state.tried.listen(state.now, call);
    }
    if matches!(call.phase, CallPhase::Active { .. }) {
        trend_ui(ui, call, state);
    }
    let avatar = Avatar::in_call(ui, call.with, &call.name).below(room.top() + banners_height(call, state));
    places.above_ui(ui, "in call", |ui| {
        let muted = palette(ui).text_muted;
        match call.phase {
            CallPhase::Active { since } => {
                avatar.speaking(call.speaker_level).show(ui);
                let name = name(ui, &call.name);
                their_microphone_ui(ui, call, name.rect);
                timer_ui(ui, state.now.saturating_duration_since(since));
            }
            CallPhase::Connecting => {
                avatar.still().show(ui);
                name(ui, &call.name);
                label(ui, words::phase(&call.phase), font::lead(), muted);
            }
            _ => {
                ui.ctx().request_repaint_after(pace::RINGING);
                avatar.ringing(ui.input(|input| input.time)).show(ui);
                name(ui, &call.name);
                label(ui, words::phase(&call.phase), font::lead(), muted);
            }
        }
    });
    places.facts_ui(ui, |ui| {
        ui.add_space(size::LEAD + size::GAP);
        facts_ui(ui, view, call, state, wishes);
    });
    places.controls_ui(ui, |ui| controls_ui(ui, view, call, state, wishes));
    state.occupied.controls = Some(places.facts.top());
    if matches!(call.phase, CallPhase::Active { .. }) {
        own_ui(ui, call, state, places.above);
    }
}

/// Talking to somebody who is seen.
fn filmed_ui(
    ui: &mut Ui,
    view: &View,
    call: &CallView,
    state: &mut UiState,
    since: Instant,
    wishes: &mut Vec<Command>,
) {
    trend_ui(ui, call, state);
    let places = Places::of(ui.available_rect_before_wrap());
    let covered = banners_height(call, state);
    let UiState { picture: Some(picture), gauge, now, .. } = state else { return };
    let lasted = now.saturating_duration_since(since);
    ui.ctx().request_repaint_after(pace::PICTURES);
    let uncovered = places.above.with_min_y(places.above.top() + covered);
    let size = picture.show(ui, uncovered, &words::picture_of(&call.name));
    gauge.draw(size * ui.pixels_per_point());
    own_ui(ui, call, state, places.above);
    places.facts_ui(ui, |ui| {
        name_and_timer_ui(ui, call, lasted);
        ui.add_space(size::GAP);
        facts_ui(ui, view, call, state, wishes);
    });
    places.controls_ui(ui, |ui| controls_ui(ui, view, call, state, wishes));
    state.occupied.controls = Some(places.facts.top());
}

/// Our own picture in its corner of what of `room` is free. It is dragged, or pressed, to another one.
pub(super) fn own_ui(ui: &Ui, call: &CallView, state: &mut UiState, mut room: Rect) {
    let (facing, name) = match (&call.sharing, call.camera) {
        (Sharing::Screen, _) => (Facing::Plain, words::own_screen()),
        (Sharing::Window(_), _) => (Facing::Plain, words::own_window()),
        (Sharing::Off, Some(Camera::On)) => (Facing::Mirrored, words::own_camera()),
        (Sharing::Off, Some(Camera::Off) | None) => {
            state.own = None;
            return;
        }
    };
    // Also while there is none yet: to ask is what brings the first one.
    ui.ctx().request_repaint_after(pace::PICTURES);
    Picture::follow(ui, &mut state.own, call.viewfinder.as_ref().and_then(Viewfinder::latest));
    room.min.y += banners_height(call, state);
    let Some(picture) = &mut state.own else { return };
    if let Some(figures) = state.occupied.figures {
        room.max.x = room.max.x.min(figures.left());
    }
    let place = state.own_corner.place(room, picture.inset_size());
    let shown = picture.inset(ui, place, facing, name).on_hover_text(UiCommand::MoveOwn.tip(ui.ctx()));
    if shown.clicked() {
        state.own_corner = state.own_corner.next();
    } else if shown.drag_stopped()
        && let Some(dropped) = shown.interact_pointer_pos()
    {
        state.own_corner = Corner::nearest(room, dropped);
    }
}

/// Both in one line: below a picture each line takes from it.
fn name_and_timer_ui(ui: &mut Ui, call: &CallView, lasted: Duration) {
    let text = palette(ui).text;
    let widths = [&call.name, &text::timer(lasted)].map(|part| text_width(ui, part, font::lead()).ceil());
    let timer = centered_row(ui, &widths, size::LEAD, size::GAP, |ui| {
        label(ui, call.name.as_str(), font::lead(), text);
        timer_ui(ui, lasted)
    });
    their_microphone_ui(ui, call, timer);
}

/// That the other end is muted, while it is: right of this. Nothing moves when it comes or goes.
fn their_microphone_ui(ui: &mut Ui, call: &CallView, beside: Rect) {
    let at = beside.right_center() + vec2(size::GAP, -size::PILL / 2.0);
    their_microphone_at(ui, call, 0.0, |_| at);
}

/// The same somewhere else: in a whole sentence where that takes no more than so many points.
fn their_microphone_at(ui: &mut Ui, call: &CallView, most: f32, at: impl FnOnce(f32) -> Pos2) {
    if call.their_microphone == Mute::Off {
        return;
    }
    let colors = palette(ui);
    let news = words::they_are_muted(&call.name);
    let pill = |text| Pill::new(text, colors.text, colors.surface).icon(icons::ICON_MIC_OFF);
    let text = if pill(&news).width(ui) <= most { news.as_str() } else { words::muted_word() };
    pill_at(ui, pill(text).announced(&news), at);
}

/// What is to be known of the other end above a picture that is elsewhere: that nothing comes, or that it is muted.
pub(super) fn their_state_at(ui: &mut Ui, call: &CallView, most: f32, at: impl FnOnce(f32) -> Pos2) {
    if is_silent(call) {
        let news = words::nothing_comes(&call.name);
        let pill = reconnecting(ui, &news);
        pill_at(ui, pill, at);
    } else {
        their_microphone_at(ui, call, most, at);
    }
}

fn pill_at(ui: &mut Ui, pill: Pill<'_>, at: impl FnOnce(f32) -> Pos2) {
    let size = vec2(pill.width(ui), size::PILL);
    ui.new_child(UiBuilder::new().max_rect(Rect::from_min_size(at(size.x), size))).add(pill);
}

/// The timer, and the wake-up for its next second.
fn timer_ui(ui: &mut Ui, lasted: Duration) -> Rect {
    let muted = palette(ui).text_muted;
    let timer = label(ui, text::timer(lasted), font::lead(), muted);
    let next = Duration::from_secs(1) - Duration::from_nanos(u64::from(lasted.subsec_nanos()));
    ui.ctx().request_repaint_after(next);
    timer.rect
}

/// The controls and a note below them.
pub(super) fn controls_ui(
    ui: &mut Ui,
    view: &View,
    call: &CallView,
    state: &mut UiState,
    wishes: &mut Vec<Command>,
) {
    let actions = actions(call);
    let cell = controls_cell(ui, &actions);
    let active = matches!(call.phase, CallPhase::Active { .. });
    centered_row(ui, &vec![cell.x; actions.len()], cell.y, size::GAP, |ui| {
        for (action, readiness) in actions {
            let tone = match action {
                UiCommand::Cancel | UiCommand::HangUp => Tone::Danger,
                UiCommand::Unmute => Tone::Engaged,
                _ => Tone::Secondary,
            };
            let button = RoundButton::large(action.label(), action.icon(), tone, cell);
            if readiness == Readiness::Resting {
                let why = if active { words::camera_while_sharing() } else { words::once_connected() };
                ui.add_enabled(false, button).on_disabled_hover_text(why);
            } else if ui.add(button.tip(action.tip(ui.ctx()))).clicked() {
                action.perform(ui.ctx(), state, wishes);
            }
        }
    });
    let colors = palette(ui);
    let silent = is_silent(call).then(|| words::nothing_comes(&call.name));
    let ink = match &silent {
        Some(_) => colors.warning,
        None if state.talking.is_heard() => colors.accent,
        None => colors.text_muted,
    };
    let note = match call.with {
        _ if silent.is_some() => silent.as_deref().unwrap_or_default(),
        _ if active && state.talking.is_heard() => words::heard_while_held(),
        _ if active && call.muted => words::hold_to_talk(),
        ContactId::Echo if active => words::echo_hint(),
        ContactId::Person(_) if active && state.compared == Compared::Differ => " ",
        ContactId::Person(_) if active && view.is_verified(call.with) => words::keys_verified(),
        ContactId::Person(_) if active => words::keys_note(),
        // Nothing to say yet, but the room for it: nothing jumps when the call begins.
        _ => " ",
    };
    ui.add_space(size::GAP);
    label(ui, note, font::caption(), ink);
}

/// As high as it has to be for whatever the controls may say next: nothing moves when they say it.
fn controls_cell(ui: &Ui, actions: &[(UiCommand, Readiness)]) -> Vec2 {
    let all = actions.iter().flat_map(|(action, _)| [Some(*action), action.counterpart()]).flatten();
    RoundButton::cell(ui, all.map(UiCommand::label))
}

/// Whether a control can be pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Readiness {
    /// It can.
    Ready,
    /// Not now; it keeps its place.
    Resting,
}

/// What the row of controls offers, at the same places from the first ring on; its last one ends the call.
fn actions(call: &CallView) -> Vec<(UiCommand, Readiness)> {
    let ready = |action| (action, Readiness::Ready);
    let resting = |action| (action, Readiness::Resting);
    let (mute, end) = (ready(UiCommand::muting(call)), ready(UiCommand::ending(call)));
    match call.with {
        // It sees nothing.
        ContactId::Echo => vec![mute, end],
        ContactId::Person(_) => {
            let camera = call.camera.map(UiCommand::switching);
            let camera = camera.map_or(resting(UiCommand::CameraOn), ready);
            let sharing = UiCommand::sharing(call).map_or(resting(UiCommand::Share), ready);
            vec![mute, camera, sharing, end]
        }
    }
}

/// A call that is over: why, what to do next, and the two buttons.
pub(super) fn ended_ui(ui: &mut Ui, call: &CallView, state: &mut UiState, wishes: &mut Vec<Command>) {
    let CallPhase::Ended { why, lasted, receipt } = &call.phase else { return };
    let low = ui.available_height() < size::LOW_WINDOW;
    let avatar = if low { size::AVATAR_CALL_LOW } else { size::AVATAR_LARGE };
    centered_column(ui, "ended", size::COLUMN, |ui| {
        let colors = palette(ui);
        ui.spacing_mut().item_spacing.y = size::GAP_SMALL;
        Avatar::new(call.with, &call.name, avatar).show(ui);
        name(ui, &call.name);
        if let Some(lasted) = lasted_text(*lasted) {
            label(ui, lasted, font::lead(), colors.text_muted);
        }
        ui.add_space(size::GAP_LARGE);
        let device = matches!(why, Reason::Device { .. });
        let reply = why.reply();
        let missed = *why == Reason::Missed;
        let mut why = told::reason(why);
        if missed {
            why.message = words::missed(&call.name);
        }
        label(ui, why.message, font::strong(), colors.text);
        if let Some(reply) = reply {
            ui.add_space(size::GAP);
            quotation_ui(ui, &call.name, reply);
            ui.add_space(size::GAP);
        }
        match state.tried.verdict().filter(|_| call.with == ContactId::Echo && lasted.is_some()) {
            Some(verdict) => verdict_ui(ui, verdict),
            None => drop(label(ui, why.next_step, font::body(), colors.text_muted)),
        }
        if let Some(receipt) = receipt {
            ui.add_space(size::GAP_LARGE);
            let most = if low { Figures::First } else { Figures::All };
            card(ui, |ui| receipt_ui(ui, receipt, most));
        }
        ui.add_space(size::GAP_LARGE);
        let close = TextButton::new(words::close(), Tone::Secondary);
        let again = if missed { announce::call_back() } else { words::again() };
        let again = TextButton::new(again, Tone::Primary).icon(icons::ICON_CALL);
        // Whatever is the matter with a device, there may be another one.
        let devices =
            device.then(|| TextButton::new(words::devices(), Tone::Secondary).icon(icons::ICON_TUNE));
        let widths: Vec<f32> = [Some(&again), devices.as_ref(), Some(&close)]
            .into_iter()
            .flatten()
            .map(|it| it.width(ui))
            .collect();
        centered_row(ui, &widths, size::BUTTON, size::GAP, |ui| {
            if ui.add(again).clicked() {
                wishes.push(Command::DismissCall);
                wishes.push(Command::Call(call.with));
            }
            if devices.is_some_and(|devices| ui.add(devices).clicked()) {
                wishes.push(Command::DismissCall);
                state.go(Page::Settings);
            }
            // Last: nothing is where what hung up was, and whoever presses that twice calls nobody.
            if ui.add(close).clicked() {
                wishes.push(Command::DismissCall);
            }
        });
    });
}
