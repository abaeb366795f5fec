//! Where the current comes from.
//!
//! ```text
//!   /sys/class/power_supply/*/type     Mains | USB | Battery | ...
//!                            /online   1: this one feeds the computer
//!                            /status   of a battery: Discharging | Charging | Full | ...
//!                            /scope    Device: a mouse's battery, not ours
//! ```

use media::voice::Frames;
use overlay::volunteer::Power;
use std::{fs, path::Path};

/// Where Linux says it. Other systems have no such folder; they count as fed from a socket, as a machine without a battery
/// does.
const SUPPLIES: &str = "/sys/class/power_supply";

/// Where the current comes from now.
pub(super) fn now() -> Power {
    said_in(Path::new(SUPPLIES))
}

/// How short frames of a voice may be now: twice as many packets cost more of a battery than 10 ms are worth. Whoever asks for
/// the quickest gets them.
pub(super) fn affordable(asked: Frames) -> Frames {
    match (asked, now()) {
        (Frames::Near, Power::Battery) => Frames::Usual,
        (asked, _) => asked,
    }
}

fn said_in(supplies: &Path) -> Power {
    let Ok(entries) = fs::read_dir(supplies) else { return Power::Mains };
    let (mut fed, mut discharging) = (false, false);
    for entry in entries.flatten() {
        let word = |file: &str| fs::read_to_string(entry.path().join(file)).unwrap_or_default();
        match word("type").trim() {
            "Battery" if word("scope").trim() != "Device" => {
                discharging |= word("status").trim() == "Discharging";
            }
            "Battery" => {}
            _ => fed |= word("online").trim() == "1",
        }
    }
    if discharging && !fed { Power::Battery } else { Power::Mains }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn machine(supplies: &[(&str, &[(&str, &str)])]) -> TempDir {
        let folder = TempDir::new().unwrap();
        for (name, files) in supplies {
            fs::create_dir(folder.path().join(name)).unwrap();
            for (file, word) in *files {
                fs::write(folder.path().join(name).join(file), format!("{word}\n")).unwrap();
            }
        }
        folder
    }

    #[test]
    fn a_laptop_without_its_plug_runs_on_the_battery() {
        let battery = |status| [("type", "Battery"), ("status", status)];
        let plug = |online| [("type", "Mains"), ("online", online)];
        for (status, online, power) in [
            ("Discharging", "0", Power::Battery),
            ("Charging", "1", Power::Mains),
            ("Not charging", "1", Power::Mains),
            // Some machines draw on both under load.
            ("Discharging", "1", Power::Mains),
        ] {
            let laptop = machine(&[("BAT0", &battery(status)), ("AC", &plug(online))]);
            assert_eq!(said_in(laptop.path()), power, "{status} {online}");
        }
    }

    #[test]
    fn a_desktop_with_a_mouse_and_a_machine_that_does_not_say_are_fed_from_a_socket() {
        let mouse = [("type", "Battery"), ("scope", "Device"), ("status", "Discharging")];
        assert_eq!(said_in(machine(&[("hid-mouse", &mouse)]).path()), Power::Mains);
        assert_eq!(said_in(machine(&[]).path()), Power::Mains);
        assert_eq!(said_in(Path::new("/nowhere")), Power::Mains);
    }
}
