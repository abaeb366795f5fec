//! The views: functions from the snapshot and the window's own state to widgets and wishes.
//!
//! ```text
//!   a sealed key ────▶ gate                            (the whole window, before an engine runs)
//!   a call ──────────▶ incoming | in call | ended     (the whole window)
//!   no name yet ─────▶ first run                       (the whole window)
//!   otherwise ───────▶ side panel + page: contact | search | request | history | invite | network | help | settings
//!   a call that rings ▶ card: decline with a reply
//!   over a call ─────▶ card: sharing | devices | verify | quit; statistics; banners
//!   over history ────▶ card: receipt
//!   always on top ───▶ notices
//! ```

mod about;
mod add;
mod banner;
mod camera;
mod card;
mod chooser;
mod contact;
mod declining;
mod desktop;
mod devices;
mod facts;
mod first_run;
mod form;
mod gate;
mod help;
mod history;
mod in_call;
mod incoming;
mod invite;
mod keeping;
mod key_change;
mod leave;
mod network;
mod notices;
mod places;
mod question;
mod quit;
mod receipt;
mod request;
mod returning;
mod ring;
mod ringtone;
mod scan;
mod settings;
mod sharing;
mod side;
pub(super) mod stage;
mod trend;
mod verify;

pub(super) use gate::{GateAction, gate_ui};
pub(super) use keeping::from_home;

use super::state::{Compared, FirstRun, KeepingForm, Occupied, Page, Stage, Step, UiState};
use super::theme::palette;
use super::widgets::Arrival;
use super::{command, text, theme};
use crate::engine::command::Command;
use crate::engine::view::{CallPhase, View};
use egui::{CentralPanel, Frame, Margin, Panel, Ui};

/// Draws the whole window.
pub(super) fn window_ui(ui: &mut Ui, view: &View, state: &mut UiState, wishes: &mut Vec<Command>) {
    state.settle(view);
    state.occupied = Occupied { controls_before: state.occupied.controls, ..Occupied::default() };
    super::widgets::note_input(ui.ctx());
    if !view
        .call
        .as_ref()
        .is_some_and(|call| matches!(call.phase, CallPhase::Connecting | CallPhase::Active { .. }))
    {
        state.compared = Compared::Fine;
    }
    if state.staged(view).is_none() {
        command::enter(ui.ctx(), state, Stage::Window);
    }
    card::leave_by_key(ui.ctx(), state);
    for action in command::pressed(ui.ctx(), view, state.staged(view)) {
        action.perform(ui.ctx(), state, wishes);
    }
    let ground = Frame::new().fill(palette(ui).ground);
    let ringing = view.call.as_ref().is_some_and(|call| call.phase == CallPhase::Incoming);
    if let Some(call) = &view.call {
        CentralPanel::no_frame().frame(ground).show(ui, |ui| match call.phase {
            CallPhase::Incoming => incoming::incoming_ui(ui, view, call, state, wishes),
            CallPhase::Ended { .. } => in_call::ended_ui(ui, call, state, wishes),
            _ => in_call::in_call_ui(ui, view, call, state, wishes),
        });
    } else if state.first_run == FirstRun::Open {
        CentralPanel::no_frame()
            .frame(ground)
            .show(ui, |ui| first_run::first_run_ui(ui, view, state, wishes));
    } else {
        let side =
            Frame::new().fill(palette(ui).panel).inner_margin(Margin::same(theme::size::PANEL_MARGIN as i8));
        Panel::left("side")
            .exact_size(theme::size::SIDE_PANEL)
            .resizable(false)
            .frame(side)
            .show(ui, |ui| side::side_ui(ui, view, state, wishes));
        CentralPanel::no_frame().frame(ground).show(ui, |ui| page_ui(ui, view, state, wishes));
    }
    hide_words(view, state, wishes);
    scan::take_dropped(ui, view, state, wishes);
    scan::close(view, state, wishes);
    camera::close(view, state, wishes);
    leave::leave_by_key(ui, view, state, wishes);
    card::card_ui(ui, view, state, wishes);
    state.rang = ringing;
    notices::notices_ui(ui, view, state, wishes);
}

/// Recovery words, and forms with passphrases, are on the screen on their page and on the card of the first run alone.
fn hide_words(view: &View, state: &mut UiState, wishes: &mut Vec<Command>) {
    let on_page = view.call.is_none()
        && match state.first_run {
            FirstRun::Open => state.step == Step::Keeping,
            FirstRun::Undecided | FirstRun::Closed => state.page == Page::Settings,
        };
    if view.custody.words.is_some() && !on_page {
        state.forget_words();
        wishes.push(Command::HideWords);
    }
    if state.keeping.form != KeepingForm::None && !on_page {
        state.keeping.go(KeepingForm::None);
    }
}

fn page_ui(ui: &mut Ui, view: &View, state: &mut UiState, wishes: &mut Vec<Command>) {
    let arrival = if state.arrived == Some(state.page) { Arrival::Earlier } else { Arrival::Now };
    state.arrived = Some(state.page);
    super::widgets::arrive(ui, arrival);
    if let Page::Contact(id) = state.page {
        state.last_contact = id;
    }
    match state.page {
        Page::Contact(id) => contact::contact_ui(ui, view, id, state, wishes),
        Page::Search => add::add_ui(ui, view, state, wishes),
        Page::Request(key) => request::request_ui(ui, view, key, state, wishes),
        Page::History => history::history_ui(ui, view, state, wishes),
        Page::Invite => invite::invite_ui(ui, view, state, wishes),
        Page::Scan => scan::scan_ui(ui, view, state, wishes),
        Page::Network => network::network_ui(ui, view, state, wishes),
        Page::Help => help::help_ui(ui, view, state, wishes),
        Page::Settings => settings::settings_ui(ui, view, state, wishes),
    }
}

/// A page that only says one sentence.
fn sentence_ui(ui: &mut Ui, name: &str, sentence: &str) {
    let muted = palette(ui).text_muted;
    super::widgets::page(ui, name, theme::size::COLUMN_NARROW, |ui| {
        super::widgets::label(ui, sentence, theme::font::body(), muted);
    });
}

/// How a call of this length is told.
fn lasted_text(lasted: Option<std::time::Duration>) -> Option<String> {
    lasted.map(text::lasted)
}
