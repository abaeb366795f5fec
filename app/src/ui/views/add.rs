//! The answer to a search: who claims the name, and the button that pins one of them.

use super::sentence_ui;
use crate::engine::command::Command;
use crate::engine::view::{ClaimRow, ContactId, NoInvite, Search, View};
use crate::reason::Reason;
use crate::ui::state::{Page, UiState};
use crate::ui::text::{self, add as words, side, told};
use crate::ui::theme::{font, palette, size};
use crate::ui::widgets::{Avatar, TextButton, Tone, card, centered_row, key_picture, label, page, two_lines};
use egui::Ui;
use egui_material_icons::{MaterialIcon, icons};
use overlay::{PublicKey, Username};

/// The search page.
pub(super) fn add_ui(ui: &mut Ui, view: &View, state: &mut UiState, wishes: &mut Vec<Command>) {
    match &view.search {
        Search::Idle => sentence_ui(ui, "search idle", side::empty()),
        Search::Offered { key, name, link } => offered_ui(ui, key, name, link, state, wishes),
        Search::Invited { key } => {
            wishes.push(Command::ClearSearch);
            state.search.clear();
            state.go(Page::Contact(ContactId::Person(*key)));
            ui.request_repaint();
        }
        Search::NoInvite(why) => {
            let title = match why {
                NoInvite::Refused(Reason::Yourself) => words::own_invite(),
                NoInvite::Refused(_) | NoInvite::Unreadable(_) => words::no_invite(),
            };
            plain_ui(ui, icons::ICON_LINK_OFF, title, &text::whole(&told::no_invite(why)));
            search_anew(ui, state);
        }
        Search::Searching { name } => {
            plain_ui(ui, icons::ICON_PERSON_SEARCH, &words::searching_title(name), words::searching());
        }
        Search::Found { name, claims } if claims.is_empty() => {
            search_anew(ui, state);
            none_ui(
                ui,
                icons::ICON_PERSON_SEARCH,
                &words::none_title(name),
                words::none_next(),
                name,
                wishes,
            );
        }
        Search::Found { name, claims } if claims.iter().all(|claim| claim.key == view.own.key) => {
            plain_ui(ui, icons::ICON_PERSON, &words::one_title(name), words::yourself());
        }
        Search::Found { name, claims } => found_ui(ui, name, claims, state, wishes),
        Search::Failed { name, why } => {
            search_anew(ui, state);
            // To look for it again is of no use where it is no name.
            if let Err(no_name) = Username::parse(name) {
                let title = words::no_name(name);
                return plain_ui(ui, icons::ICON_PERSON_SEARCH, &title, &told::username(no_name));
            }
            let text = text::whole(&told::reason(why));
            none_ui(ui, icons::ICON_CLOUD_OFF, &words::failed_title(name), &text, name, wishes);
        }
    }
}

/// Whoever pressed Enter in the field for nothing is in it again, and types over what was there.
fn search_anew(ui: &Ui, state: &mut UiState) {
    if ui.memory(|memory| memory.focused().is_none()) {
        state.focus_search = true;
    }
}

/// Whom a link from outside invites to: added only if the person says so.
fn offered_ui(
    ui: &mut Ui,
    key: &PublicKey,
    name: &str,
    link: &str,
    state: &mut UiState,
    wishes: &mut Vec<Command>,
) {
    page(ui, "offered", size::COLUMN_NARROW, |ui| {
        let colors = palette(ui);
        Avatar::new(ContactId::Person(*key), name, size::AVATAR_LARGE).show(ui);
        ui.add_space(size::GAP);
        label(ui, words::offered_title(name), font::title(), colors.text);
        label(ui, key.fingerprint(), font::key(), colors.text_muted);
        ui.add_space(size::GAP);
        label(ui, words::offered(), font::body(), colors.text_muted);
        ui.add_space(size::GAP_LARGE);
        let buttons = [
            TextButton::new(words::not_now(), Tone::Secondary),
            TextButton::new(words::add(), Tone::Primary),
        ];
        let widths = buttons.each_ref().map(|button| button.width(ui));
        let [not_now, add] = buttons;
        centered_row(ui, &widths, size::BUTTON, size::GAP, |ui| {
            if ui.add(not_now).clicked() {
                wishes.push(Command::ClearSearch);
                state.go(Page::Contact(ContactId::Echo));
            }
            if ui.add(add).clicked() {
                wishes.push(Command::AddInvite(link.to_owned()));
            }
        });
    });
}

fn plain_ui(ui: &mut Ui, icon: MaterialIcon, title: &str, text: &str) {
    page(ui, "search plain", size::COLUMN_NARROW, |ui| head_ui(ui, icon, title, text));
}

fn none_ui(ui: &mut Ui, icon: MaterialIcon, title: &str, text: &str, name: &str, wishes: &mut Vec<Command>) {
    page(ui, "search none", size::COLUMN_NARROW, |ui| {
        head_ui(ui, icon, title, text);
        ui.add_space(size::GAP_LARGE);
        let again = TextButton::new(words::try_again(), Tone::Secondary).icon(icons::ICON_REFRESH);
        if ui.add(again).clicked() {
            wishes.push(Command::Search(name.to_owned()));
        }
    });
}

fn head_ui(ui: &mut Ui, icon: MaterialIcon, title: &str, text: &str) {
    let colors = palette(ui);
    ui.label(icon.rich_text().size(size::KEY_PICTURE).color(colors.text_muted));
    ui.add_space(size::GAP);
    label(ui, title, font::title(), colors.text);
    label(ui, text, font::body(), colors.text_muted);
}

fn found_ui(ui: &mut Ui, name: &str, claims: &[ClaimRow], state: &mut UiState, wishes: &mut Vec<Command>) {
    page(ui, "search found", size::COLUMN, |ui| {
        let colors = palette(ui);
        match claims {
            [only] => {
                Avatar::new(ContactId::Person(only.key), name, size::AVATAR_LARGE).show(ui);
                ui.add_space(size::GAP);
                label(ui, words::one_title(name), font::title(), colors.text);
                label(ui, words::one(), font::body(), colors.text_muted);
            }
            several => {
                let title = words::several_title(several.len(), name);
                let warning = icons::ICON_WARNING.rich_text().size(size::KEY_PICTURE).color(colors.warning);
                ui.label(warning);
                label(ui, title, font::title(), colors.text);
                label(ui, words::several_text(name), font::body(), colors.text_muted);
            }
        }
        ui.add_space(size::GAP_LARGE);
        for claim in claims {
            claim_ui(ui, name, claim, claims.len() > 1, state, wishes);
        }
    });
}

fn claim_ui(
    ui: &mut Ui,
    name: &str,
    claim: &ClaimRow,
    one_of_several: bool,
    state: &mut UiState,
    wishes: &mut Vec<Command>,
) {
    card(ui, |ui| {
        let colors = palette(ui);
        let (text, named, tone) = match claim.contact {
            true => (words::open(), words::open_one_of(&claim.fingerprint), Tone::Secondary),
            false => (words::add(), words::add_one_of(&claim.fingerprint), Tone::Primary),
        };
        let mut button = TextButton::new(text, tone);
        if one_of_several {
            button = button.named(&named);
        }
        ui.horizontal(|ui| {
            key_picture(ui, &claim.key, size::KEY_PICTURE);
            ui.add_space(size::GAP_SMALL);
            let detail = match claim.contact {
                true => words::already().to_owned(),
                false => words::holders(claim.holders),
            };
            let fingerprint = (claim.fingerprint.as_str(), font::key(), colors.text);
            two_lines(ui, size::KEY_PICTURE, fingerprint, (&detail, font::caption(), colors.text_muted));
        });
        ui.add_space(size::GAP_SMALL);
        if ui.add(button.wide(ui.available_width())).clicked() {
            act(name, claim, state, wishes);
        }
    });
}

/// Adds who is no contact yet, and shows their page either way.
fn act(name: &str, claim: &ClaimRow, state: &mut UiState, wishes: &mut Vec<Command>) {
    if !claim.contact {
        wishes.push(Command::AddContact { name: name.to_owned(), key: claim.key });
    }
    wishes.push(Command::ClearSearch);
    state.search.clear();
    state.go(Page::Contact(ContactId::Person(claim.key)));
}
