//! The menu of the icon, as `com.canonical.dbusmenu`: one level, drawn by the tray.
//!
//! Each action has one number for ever, so that a click on a menu that has changed meanwhile does what was read there, or
//! nothing.

use super::{Shared, TrayAction};
use crate::desktop::{Outlet, Report};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use zbus::fdo;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::{OwnedValue, Type, Value};

/// The number of the menu itself.
pub(super) const ROOT: i32 = 0;

pub(super) struct Menu {
    shown: Shared,
    outlet: Outlet,
}

type Properties = HashMap<String, OwnedValue>;

/// A part of the menu, and those below it.
#[derive(Debug, Type, Value, OwnedValue, Serialize, Deserialize)]
struct Layout {
    id: i32,
    properties: Properties,
    children: Vec<OwnedValue>,
}

impl TrayAction {
    const ALL: [Self; 5] = [Self::Open, Self::Mute, Self::Unmute, Self::HangUp, Self::Quit];

    /// Its number; zero is the menu.
    const fn id(self) -> i32 {
        match self {
            Self::Open => 1,
            Self::Mute => 2,
            Self::Unmute => 3,
            Self::HangUp => 4,
            Self::Quit => 5,
        }
    }
}

impl Menu {
    pub(super) const fn new(shown: Shared, outlet: Outlet) -> Self {
        Self { shown, outlet }
    }

    /// What a tray is told of a part; nothing of one that is not there.
    fn properties(&self, id: i32) -> Option<Properties> {
        let said = |key: &str, value: Value<'_>| Some((key.to_owned(), value.try_to_owned().ok()?));
        if id == ROOT {
            return Some(said("children-display", Value::from("submenu")).into_iter().collect());
        }
        let shown = self.shown.lock();
        let (_, label) = shown.view.menu.iter().find(|(action, _)| action.id() == id)?;
        // An underscore would mark the next letter as a key.
        Some(said("label", Value::from(label.replace('_', "__"))).into_iter().collect())
    }

    fn clicked(&self, id: i32) -> bool {
        let action = TrayAction::ALL.into_iter().find(|action| action.id() == id);
        let offered = action.filter(|action| {
            let shown = self.shown.lock();
            shown.view.menu.iter().any(|(offered, _)| offered == action)
        });
        if let Some(action) = offered {
            self.outlet.report(Report::TrayPressed(action));
        }
        offered.is_some()
    }

    fn layout(&self, id: i32, children: Vec<OwnedValue>) -> fdo::Result<Layout> {
        let unknown = || fdo::Error::InvalidArgs(format!("the menu has no {id}"));
        Ok(Layout { id, properties: self.properties(id).ok_or_else(unknown)?, children })
    }
}

#[zbus::interface(name = "com.canonical.dbusmenu")]
impl Menu {
    fn get_layout(&self, parent: i32, depth: i32, _properties: Vec<String>) -> fdo::Result<(u32, Layout)> {
        let (revision, ids) = {
            let shown = self.shown.lock();
            let ids: Vec<i32> = shown.view.menu.iter().map(|(action, _)| action.id()).collect();
            (shown.revision, ids)
        };
        let mut children = Vec::new();
        if parent == ROOT && depth != 0 {
            for id in ids {
                let child = Value::from(self.layout(id, Vec::new())?);
                children.push(child.try_into_owned().map_err(|error| fdo::Error::Failed(error.to_string()))?);
            }
        }
        Ok((revision, self.layout(parent, children)?))
    }

    fn get_group_properties(&self, ids: Vec<i32>, _properties: Vec<String>) -> Vec<(i32, Properties)> {
        let ids = if ids.is_empty() { TrayAction::ALL.map(TrayAction::id).to_vec() } else { ids };
        ids.into_iter().filter_map(|id| Some((id, self.properties(id)?))).collect()
    }

    fn get_property(&self, id: i32, name: &str) -> fdo::Result<OwnedValue> {
        let unknown = || fdo::Error::InvalidArgs(format!("the menu has no {name} of {id}"));
        self.properties(id).and_then(|mut properties| properties.remove(name)).ok_or_else(unknown)
    }

    fn event(&self, id: i32, event: &str, _data: Value<'_>, _time: u32) {
        if event == "clicked" {
            self.clicked(id);
        }
    }

    /// Answers with those that are not there.
    fn event_group(&self, events: Vec<(i32, String, OwnedValue, u32)>) -> Vec<i32> {
        let clicks = events.into_iter().filter(|(_, event, ..)| event == "clicked");
        clicks.map(|(id, ..)| id).filter(|id| !self.clicked(*id)).collect()
    }

    fn about_to_show(&self, _id: i32) -> bool {
        false
    }

    fn about_to_show_group(&self, _ids: Vec<i32>) -> (Vec<i32>, Vec<i32>) {
        (Vec::new(), Vec::new())
    }

    #[zbus(property)]
    fn version(&self) -> u32 {
        3
    }

    #[zbus(property)]
    fn text_direction(&self) -> &'static str {
        "ltr"
    }

    #[zbus(property)]
    fn status(&self) -> &'static str {
        "normal"
    }

    #[zbus(property)]
    fn icon_theme_path(&self) -> Vec<String> {
        Vec::new()
    }

    #[zbus(signal)]
    pub(super) async fn layout_updated(
        emitter: &SignalEmitter<'_>,
        revision: u32,
        parent: i32,
    ) -> zbus::Result<()>;
}
