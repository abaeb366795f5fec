//! The side panel: the own card, the field that searches and adds, requests and contacts.

use crate::engine::command::Command;
use crate::engine::view::{Attempt, ClaimState, ContactId, ContactRow, NetworkState, Presence, View};
use crate::ui::state::{FirstRun, Page, Step, UiState};
use crate::ui::text::{self, key_change, scan, side as words, told};
use crate::ui::theme::{font, palette, size};
use crate::ui::views::form::{entered, left, select_all};
use crate::ui::widgets::{
    Avatar, DetailTone, ListRow, Pill, RoundButton, Tab, TextButton, Tone, label, plain_button, two_lines,
};
use egui::{
    Align, Color32, Key, Layout, Margin, Response, RichText, ScrollArea, Stroke, TextEdit, Ui, UiBuilder,
    vec2,
};
use egui_material_icons::icons;
use overlay::username::USERNAME_MIN;
use overlay::{Username, UsernameError, hint::INVITE_SCHEME};

/// The side panel.
pub(super) fn side_ui(ui: &mut Ui, view: &View, state: &mut UiState, wishes: &mut Vec<Command>) {
    ui.spacing_mut().item_spacing.y = size::GAP_SMALL;
    own_card_ui(ui, view, state, wishes);
    ui.add_space(size::GAP);
    search_field_ui(ui, view, state, wishes);
    ui.add_space(size::GAP);
    let below = size::TAB + 2.0 * size::GAP + size::GAP_SMALL;
    let room = (ui.available_height() - below).max(size::ROW);
    ScrollArea::vertical()
        .id_salt("rows")
        .max_height(room)
        .min_scrolled_height(room)
        .auto_shrink([false, false])
        .show(ui, |ui| {
            requests_ui(ui, view, state);
            contacts_ui(ui, view, state, wishes);
        });
    let edge = ui.max_rect().expand2(vec2(size::PANEL_MARGIN, 0.0)).x_range();
    let top = ui.cursor().top() + size::GAP_SMALL;
    ui.painter().hline(edge, top, Stroke::new(1.0, palette(ui).line));
    ui.add_space(size::GAP + size::GAP_SMALL);
    tabs_ui(ui, view, state);
}

/// The ways to the other pages.
fn tabs_ui(ui: &mut Ui, view: &View, state: &mut UiState) {
    let missed = words::recent_missed(view.missed);
    let recent = if view.missed > 0 { missed.as_str() } else { words::recent() };
    let tabs = [
        (Page::History, icons::ICON_HISTORY, words::recent_word(), recent),
        (Page::Network, icons::ICON_NETWORK_CHECK, words::network_word(), words::network()),
        (Page::Help, icons::ICON_VOLUNTEER_ACTIVISM, words::help_word(), words::help()),
        (Page::Settings, icons::ICON_SETTINGS, words::settings(), words::settings()),
    ];
    // Whoever has the longer word has the more room.
    let words = tabs.map(|(_, _, word, _)| Tab::least_width(ui, word));
    let spare = (ui.available_width() - words.iter().sum::<f32>()) / tabs.len() as f32;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        for ((page, icon, word, name), least) in tabs.into_iter().zip(words) {
            let width = least + spare;
            let news = if page == Page::History { view.missed } else { 0 };
            if ui.add(Tab::new(icon, word, name, width).selected(state.page == page).news(news)).clicked() {
                state.go(page);
            }
        }
    });
}

/// Who we are; a press shows what a friend needs to find us, or where a name is chosen.
fn own_card_ui(ui: &mut Ui, view: &View, state: &mut UiState, wishes: &mut Vec<Command>) {
    let colors = palette(ui);
    let name = view.own.name.as_deref().unwrap_or_default();
    let shown = if name.is_empty() { words::no_name() } else { name };
    let fingerprint = view.own.key.fingerprint();
    let (pill, pill_tip) = reachability(ui, &view.network);
    let mut card = ui.available_rect_before_wrap();
    card.set_height(size::ROW);
    card.max.x -= pill.width(ui) + size::GAP;
    let tip = format!("{fingerprint}\n{}", words::key_tip());
    let pressed = plain_button(ui, card, &words::own(shown)).on_hover_text(tip).clicked();
    ui.horizontal(|ui| {
        ui.set_height(size::ROW);
        ui.add_space(size::GAP);
        Avatar::new(ContactId::Person(view.own.key), name, size::AVATAR).show(ui);
        ui.add_space(size::GAP_SMALL);
        let room = card.right() - ui.cursor().left();
        ui.allocate_ui_with_layout(vec2(room, size::ROW), Layout::left_to_right(Align::Center), |ui| {
            ui.set_width(room);
            let short: String = fingerprint.split('-').take(2).collect::<Vec<_>>().join("-");
            let key = (short.as_str(), font::key(), colors.text_muted);
            two_lines(ui, size::ROW, (shown, font::strong(), colors.text), key);
        });
        ui.add(pill).on_hover_text(pill_tip);
    });
    let unnamed = view.own.name.is_none();
    let mut choose = pressed && unnamed;
    if unnamed || matches!(view.own.claim, ClaimState::Taken | ClaimState::Failed(_)) {
        let width = ui.available_width();
        choose |= ui.add(TextButton::new(words::choose_name(), Tone::Secondary).wide(width)).clicked();
    }
    if choose {
        (state.first_run, state.step) = (FirstRun::Open, Step::NameAlone);
    } else if pressed {
        wishes.push(Command::MakeInvite);
        state.go(Page::Invite);
    }
    if let NetworkState::Offline(why) = &view.network {
        let text = text::whole(&told::offline(*why));
        ui.horizontal(|ui| {
            ui.add_space(size::GAP);
            label(ui, text, font::caption(), colors.text_muted);
        });
    }
}

fn reachability(ui: &Ui, network: &NetworkState) -> (Pill<'static>, String) {
    let colors = palette(ui);
    match network {
        NetworkState::Joining => (
            Pill::new(words::joining(), colors.warning, colors.warning_tint),
            words::joining_tip().to_owned(),
        ),
        NetworkState::Online { homes } => {
            (Pill::new(words::online(), colors.accent, colors.accent_tint), words::online_tip(*homes))
        }
        NetworkState::Offline(why) => (
            Pill::new(words::offline(), colors.danger, colors.danger_tint),
            text::whole(&told::offline(*why)),
        ),
    }
}

fn search_field_ui(ui: &mut Ui, view: &View, state: &mut UiState, wishes: &mut Vec<Command>) {
    let colors = palette(ui);
    let typed = !state.search.is_empty();
    let field = ui.add(
        TextEdit::singleline(&mut state.search)
            .id_salt("search")
            .hint_text(RichText::new(words::field()).color(colors.text_muted))
            .font(font::body())
            .char_limit(text::LONGEST_SEARCH)
            .margin(Margin {
                left: size::FIELD_ICON,
                right: size::FIELD_ICON,
                top: size::FIELD_MARGIN_Y,
                bottom: size::FIELD_MARGIN_Y,
            })
            .desired_width(f32::INFINITY),
    );
    let field = field.accessible_name(words::field());
    let side = f32::from(size::FIELD_ICON) / 2.0;
    let icon_at = egui::pos2(field.rect.left() + side, field.rect.center().y);
    let icon = icons::ICON_SEARCH.codepoint;
    ui.painter().text(icon_at, egui::Align2::CENTER_CENTER, icon, font::icon(font::ICON), colors.text_muted);
    if std::mem::take(&mut state.focus_search) {
        field.request_focus();
        select_all(ui, &field, &state.search);
    }
    let center = egui::pos2(field.rect.right() - side, field.rect.center().y);
    let place = egui::Rect::from_center_size(center, egui::Vec2::splat(size::ROUND_SMALL));
    // A child of its own, so that the field keeps its height.
    let mut child = ui.new_child(UiBuilder::new().max_rect(place));
    if typed {
        if child.add(RoundButton::small(words::clear(), icons::ICON_CLOSE)).clicked() {
            state.search.clear();
            leave_search(view, state, wishes);
        }
    } else if child.add(RoundButton::small(scan::title(), icons::ICON_QR_CODE_SCANNER)).clicked() {
        state.go(Page::Scan);
    }
    // What was found before is no answer to what is typed now.
    if field.changed() && (state.search.is_empty() || state.page == Page::Search) {
        leave_search(view, state, wishes);
    }
    if entered(ui, &field) {
        submit(view, state, wishes);
    }
    if typed && field.lost_focus() && left(ui) {
        state.search.clear();
        leave_search(view, state, wishes);
    }
}

/// Enter in the field: an exact contact is opened, or the only one who can be meant; any other name is looked up.
fn submit(view: &View, state: &mut UiState, wishes: &mut Vec<Command>) {
    let wanted = wanted_name(state);
    if wanted.is_empty() {
        return;
    }
    if let Some(invite) = invite_in(&state.search) {
        wishes.push(Command::AddInvite(invite.to_owned()));
        // Where it does not work, another one is pasted.
        state.search.clear();
        return state.go(Page::Search);
    }
    // A username means one person in the whole network, a nickname only here.
    let called = |name: &str| name.to_lowercase() == wanted;
    let by_name = view.contacts.iter().find(|row| called(&row.name));
    let by_name = by_name.or_else(|| view.contacts.iter().find(|row| called(row.shown())));
    match by_name.or_else(|| only_match(view, &wanted)) {
        Some(row) => state.go(Page::Contact(row.id)),
        None => {
            wishes.push(Command::Search(wanted));
            state.go(Page::Search);
        }
    }
}

/// The only contact who is found by a part of the name, if the name begins so or nobody else can be called that.
fn only_match<'a>(view: &'a View, wanted: &str) -> Option<&'a ContactRow> {
    let mut found = view.contacts.iter().filter(|row| matches(row, wanted));
    let only = found.next().filter(|_| found.next().is_none())?;
    let begins = |name: &str| name.to_lowercase().starts_with(wanted);
    let meant = begins(&only.name) || begins(only.shown()) || Username::parse(wanted).is_err();
    meant.then_some(only)
}

fn matches(row: &ContactRow, wanted: &str) -> bool {
    [&row.name, row.shown()].iter().any(|name| name.to_lowercase().contains(wanted))
}

fn leave_search(view: &View, state: &mut UiState, wishes: &mut Vec<Command>) {
    wishes.push(Command::ClearSearch);
    if state.page == Page::Search {
        state.go_back(view);
    }
}

/// The link in what was typed or pasted, perhaps with the words it was sent with.
fn invite_in(typed: &str) -> Option<&str> {
    typed.split_whitespace().find(|word| {
        // A program that is named before a colon is no link.
        word.len() > INVITE_SCHEME.len()
            && word
                .get(..INVITE_SCHEME.len())
                .is_some_and(|scheme| scheme.eq_ignore_ascii_case(INVITE_SCHEME))
    })
}

fn wanted_name(state: &UiState) -> String {
    state.search.trim().to_lowercase()
}

fn requests_ui(ui: &mut Ui, view: &View, state: &mut UiState) {
    if view.requests.is_empty() {
        return;
    }
    section(ui, &words::requests(view.requests.len()), palette(ui).accent);
    for request in &view.requests {
        let line = match request.attempt {
            Attempt::Past => words::request_line(),
            Attempt::Now => words::calling_line(),
        };
        let row = ListRow::contact(ContactId::Person(request.key), &request.name, line)
            .waiting()
            .named(&words::request(&request.name))
            .selected(state.page == Page::Request(request.key))
            .show(ui);
        if row.clicked() {
            state.go(Page::Request(request.key));
        }
    }
    ui.add_space(size::GAP);
}

fn contacts_ui(ui: &mut Ui, view: &View, state: &mut UiState, wishes: &mut Vec<Command>) {
    let typed = wanted_name(state);
    // A link filters nobody.
    let wanted = if invite_in(&typed).is_some() { String::new() } else { typed };
    section(ui, words::contacts(), palette(ui).text_muted);
    let mut found = Found::Nobody;
    for contact in view.contacts.iter().filter(|row| matches(row, &wanted)) {
        if contact.name.to_lowercase() == wanted {
            found = Found::Username;
        } else if found == Found::Nobody {
            found = Found::Somebody;
        }
        let echo = contact.id == ContactId::Echo;
        let blocked = view.is_blocked(contact.id);
        let detail = match (&contact.presence, &contact.last_call) {
            _ if echo && view.history.is_empty() => words::echo_first().to_owned(),
            _ if echo => words::echo_line().to_owned(),
            _ if blocked => words::blocked().to_owned(),
            _ if contact.changed.is_some() => key_change::row().to_owned(),
            (Presence::Here, _) => words::here().to_owned(),
            (_, Some(when)) => told::when(when),
            (Presence::Gone(when), None) => words::last_seen(&told::when(when)),
            (Presence::Unknown, None) => words::no_call_yet().to_owned(),
        };
        let shown = contact.shown();
        let detail =
            if contact.nickname.is_some() { format!("{} · {detail}", contact.name) } else { detail };
        let mut row = ListRow::contact(contact.id, shown, &detail);
        let verified = words::verified(shown);
        let never_heard = words::blocked_row(shown);
        let changed = format!("{}: {shown}", key_change::row());
        if echo {
            row = row.pinned();
            if view.history.is_empty() {
                row = row.marked(icons::ICON_CALL, DetailTone::Accent);
            }
        } else if blocked {
            row = row.blocked().named(&never_heard);
        } else if contact.changed.is_some() {
            row = row.named(&changed);
        } else if contact.verified.is_yes() {
            row = row.verified().named(&verified);
        }
        let row = row.selected(state.page == Page::Contact(contact.id)).show(ui);
        if called(ui, &row) && !blocked {
            wishes.push(Command::Call(contact.id));
        }
        if row.clicked() {
            row.request_focus();
            state.go(Page::Contact(contact.id));
        }
    }
    below_ui(ui, view, wanted, found, state, wishes);
    let invite = ListRow::link(icons::ICON_PERSON_ADD, words::invite()).selected(state.page == Page::Invite);
    if invite.show(ui).clicked() {
        wishes.push(Command::MakeInvite);
        state.go(Page::Invite);
    }
}

/// Who among the contacts matches what is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Nobody,
    /// By a part of the name, or by the nickname.
    Somebody,
    /// By exactly that username.
    Username,
}

/// Below the contacts: what looks up in the network what is typed, or says why it cannot be a name.
fn below_ui(
    ui: &mut Ui,
    view: &View,
    wanted: String,
    found: Found,
    state: &mut UiState,
    wishes: &mut Vec<Command>,
) {
    let note = if invite_in(&state.search).is_some() {
        Some(words::press_enter().to_owned())
    } else if wanted.is_empty() {
        let nobody = view.contacts.iter().all(|row| row.id == ContactId::Echo);
        nobody.then(|| words::empty().to_owned())
    } else {
        match Username::parse(&wanted) {
            Ok(_) if found == Found::Username => None,
            Ok(_) => {
                let row = ListRow::link(icons::ICON_PERSON_SEARCH, &words::look_up(&wanted))
                    .selected(state.page == Page::Search)
                    .show(ui);
                if row.clicked() {
                    wishes.push(Command::Search(wanted));
                    state.go(Page::Search);
                }
                None
            }
            // Whoever looks for a contact may type what is no username.
            Err(_) if found != Found::Nobody => None,
            Err(UsernameError::TooShort) => Some(words::look_up_short(USERNAME_MIN)),
            Err(why) => Some(told::username(why)),
        }
    };
    if let Some(note) = note {
        let muted = palette(ui).text_muted;
        ui.horizontal(|ui| {
            ui.add_space(size::GAP);
            label(ui, note, font::caption(), muted);
        });
    }
}

/// A row calls by Enter while it has the keyboard, and by a double click.
fn called(ui: &Ui, row: &Response) -> bool {
    row.double_clicked() || (row.has_focus() && ui.input(|input| input.key_pressed(Key::Enter)))
}

fn section(ui: &mut Ui, title: &str, ink: Color32) {
    ui.horizontal(|ui| {
        ui.add_space(size::GAP);
        label(ui, title, font::overline(), ink);
    });
}
