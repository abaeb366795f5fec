//! What the window says of a reason: the real window without a screen, in both languages, read by the labels that a screen
//! reader reads.

use app::{
    engine::{
        EngineHandle,
        gate::{Door, GateHandle},
        view::{NetworkCheck, Notice, View},
    },
    reason::Reason,
    ui::{Front, Locale},
};
use egui::accesskit::Role;
use egui_kittest::{
    Harness,
    kittest::{NodeT, Queryable, by},
};
use std::{rc::Rc, sync::Arc, time::Instant};

/// The window says this of the reason, and in Spanish something else, with a next step as well.
#[track_caller]
pub(crate) fn says(reason: &Reason, message: &str, next_step: &str) {
    let english = labels(Locale::English, reason);
    assert!(english.iter().any(|label| label == message), "not {message:?} but {english:?}");
    assert!(english.iter().any(|label| label == next_step), "not {next_step:?} but {english:?}");
    let spanish = labels(Locale::Spanish, reason);
    assert_eq!(spanish.len(), english.len(), "{spanish:?}");
    for sentence in [message, next_step] {
        assert!(!spanish.iter().any(|label| label.contains(sentence)), "not translated: {spanish:?}");
    }
}

/// What stands on the page about the network when this was found out.
pub(crate) fn network_page(check: NetworkCheck) -> Vec<String> {
    let mut harness = window(Locale::English, |view| view.network_check = check);
    harness.get_by_role_and_label(Role::Button, "Can people call me?").click();
    harness.run();
    read(&harness)
}

/// What stands on the screen when this is all that there is to say.
fn labels(locale: Locale, reason: &Reason) -> Vec<String> {
    read(&window(locale, |view| view.notices = vec![Notice { id: 1, why: reason.clone() }]))
}

/// A window of somebody who has a name, with a fake engine.
fn window(locale: Locale, change: impl FnOnce(&mut View)) -> Harness<'static, Front> {
    let (engine, _wishes, shown) = EngineHandle::fake();
    let mut view = View::clone(&engine.view.borrow());
    view.own.name = Some("ada".to_owned());
    change(&mut view);
    shown.send_replace(Arc::new(view));
    let (gate, _gate_wishes, _gate) = GateHandle::fake(Door::Open(engine));
    let builder = Harness::builder().with_size(egui::vec2(1000.0, 640.0)).with_max_steps(30);
    let mut harness =
        builder.build_eframe(move |cc| Front::new(&cc.egui_ctx, gate, None, locale, Rc::new(Instant::now)));
    harness.run();
    harness
}

/// What stands on the screen.
pub(crate) fn read(harness: &Harness<'static, Front>) -> Vec<String> {
    let all = harness.query_all(by());
    all.filter_map(|node| node.accesskit_node().label().or_else(|| node.accesskit_node().value())).collect()
}
