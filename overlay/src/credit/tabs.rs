//! What one who is helped has had of whom since it last said so: its own counts, not the helpers'.

use std::collections::BTreeMap;

use relay::UnixTime;

use super::{ENOUGH, Service};
use crate::identity::LinkKey;

/// Helpers whose service is counted at a time; what further ones do is not.
const MAX_TABS: usize = 256;

/// Counts by helper.
#[derive(Debug, Default)]
pub(crate) struct Tabs {
    open: BTreeMap<LinkKey, Tab>,
}

/// What one helper did.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tab {
    /// Since when.
    pub(crate) since: UnixTime,
    /// What.
    pub(crate) service: Service,
}

impl Tabs {
    /// A helper did something.
    pub(crate) fn count(&mut self, now: UnixTime, helper: LinkKey, service: Service) {
        if self.open.len() < MAX_TABS || self.open.contains_key(&helper) {
            let tab = self.open.entry(helper).or_insert(Tab { since: now, service: Service::default() });
            tab.service.add(service);
        }
    }

    /// Helpers who did enough to be told.
    pub(crate) fn due(&self) -> impl Iterator<Item = LinkKey> {
        let due = self.open.iter().filter(|(_, tab)| tab.service.worth() >= ENOUGH);
        due.map(|(helper, _)| *helper)
    }

    /// Whether this one did.
    pub(crate) fn is_due(&self, helper: &LinkKey) -> bool {
        self.open.get(helper).is_some_and(|tab| tab.service.worth() >= ENOUGH)
    }

    /// Closes what was counted for a helper: it is about to be vouched for.
    pub(crate) fn close(&mut self, helper: &LinkKey) -> Option<Tab> {
        self.open.remove(helper)
    }
}
