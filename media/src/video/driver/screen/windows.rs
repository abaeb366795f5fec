//! Which windows are open: what the window manager lists (EWMH), or else what lies on the root window and has a name.

use x11rb::cookie::Cookie;
use x11rb::protocol::xproto::{Atom, AtomEnum, ConnectionExt as _, GetPropertyReply, MapState, Window};
use x11rb::rust_connection::RustConnection;

use super::ScreenError;
use crate::video::window::{OpenWindow, WindowId, title};

/// Windows that are looked at; more are not listed.
const MOST_WINDOWS: usize = 64;
/// What is read of a property, in units of four bytes.
const MOST_OF_PROPERTY: u32 = 256;

/// Whether a window can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It can, though others may cover it.
    Shown,
    /// It is minimised, or on another desktop.
    Hidden,
}

x11rb::atom_manager! {
    Atoms: AtomsCookie {
        _NET_CLIENT_LIST,
        _NET_WM_NAME,
        _NET_WM_PID,
        _NET_WM_WINDOW_TYPE,
        _NET_WM_WINDOW_TYPE_DESKTOP,
        _NET_WM_WINDOW_TYPE_DOCK,
        UTF8_STRING,
    }
}

type Asked<'a> = Cookie<'a, RustConnection, GetPropertyReply>;

/// All of other programs, without what the desktop itself consists of.
pub(super) fn list(
    connection: &RustConnection,
    root: Window,
) -> Result<Vec<(OpenWindow, Standing)>, ScreenError> {
    let atoms = Atoms::new(connection)?.reply()?;
    // All questions before the first answer: one round trip for all windows.
    let mut asked = Vec::new();
    for id in candidates(connection, root, &atoms)?.into_iter().filter_map(WindowId::new) {
        let ask = |property, kind: Atom| {
            connection.get_property(false, id.get(), property, kind, 0, MOST_OF_PROPERTY)
        };
        let utf8 = ask(atoms._NET_WM_NAME, atoms.UTF8_STRING)?;
        let latin1 = ask(AtomEnum::WM_NAME.into(), AtomEnum::STRING.into())?;
        let process = ask(atoms._NET_WM_PID, AtomEnum::CARDINAL.into())?;
        let kind = ask(atoms._NET_WM_WINDOW_TYPE, AtomEnum::ATOM.into())?;
        asked.push((id, [utf8, latin1, process, kind], connection.get_window_attributes(id.get())?));
    }
    let ours = std::process::id();
    let desktop = [atoms._NET_WM_WINDOW_TYPE_DESKTOP, atoms._NET_WM_WINDOW_TYPE_DOCK];
    let mut open = Vec::new();
    for (id, properties, attributes) in asked {
        let Some([utf8, latin1, process, kind]) = answers(properties) else { continue };
        let Ok(attributes) = attributes.reply() else { continue };
        if first(&process) == Some(ours) || first(&kind).is_some_and(|kind| desktop.contains(&kind)) {
            continue;
        }
        let Some(title) = title(&utf8.value, &latin1.value) else { continue };
        let shown = attributes.map_state == MapState::VIEWABLE;
        open.push((OpenWindow { id, title }, if shown { Standing::Shown } else { Standing::Hidden }));
    }
    Ok(open)
}

fn candidates(connection: &RustConnection, root: Window, atoms: &Atoms) -> Result<Vec<Window>, ScreenError> {
    let (property, kind) = (atoms._NET_CLIENT_LIST, AtomEnum::WINDOW);
    let listed = connection.get_property(false, root, property, kind, 0, MOST_OF_PROPERTY)?.reply()?;
    let mut windows: Vec<Window> = match listed.value32() {
        Some(listed) => listed.collect(),
        // Nobody manages windows; those that lie topmost are last.
        None => {
            let children = connection.query_tree(root)?.reply()?.children;
            let mapped = children.iter().rev().take(MOST_WINDOWS).filter(|window| {
                let attributes = connection.get_window_attributes(**window).map(Cookie::reply);
                matches!(attributes, Ok(Ok(attributes)) if attributes.map_state == MapState::VIEWABLE)
            });
            mapped.copied().collect()
        }
    };
    windows.truncate(MOST_WINDOWS);
    Ok(windows)
}

/// None when one is refused, for then the window is gone.
fn answers(asked: [Asked<'_>; 4]) -> Option<[GetPropertyReply; 4]> {
    let answers: Vec<_> = asked.into_iter().map_while(|asked| asked.reply().ok()).collect();
    answers.try_into().ok()
}

fn first(property: &GetPropertyReply) -> Option<u32> {
    property.value32()?.next()
}
