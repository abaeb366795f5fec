//! The relay beside the node: opened when a volunteer is to serve, and never closed under those who talk through it.
//!
//! ```text
//!   OpenRelay ─▶ opening ─▶ relay ─CloseRelay─▶ retiring ─nobody left, or RETIRE─▶ closed
//!                             └────drain───────▶ leaving ─nobody left, or its time─▶ the node ends
//! ```

use std::{net::IpAddr, time::Duration};

use relay::driver::now;
use tokio::{sync::oneshot, time::Instant};

use super::{super::StartError, Beside, Event, Runner};

/// How long those may go on whom a volunteer's relay serves when it ceases to be a supernode; shorter than it rests then.
const RETIRE: Duration = Duration::from_secs(9 * 60);

/// How often it is looked whether somebody is still relayed.
const TICK: Duration = Duration::from_millis(250);

/// A relay that takes nobody new.
pub(super) struct Retiring {
    beside: Beside,
    look_at: Instant,
    until: Instant,
}

/// Why the node is to end soon.
pub(super) struct Leaving {
    look_at: Instant,
    until: Instant,
    done: oneshot::Sender<()>,
}

impl Retiring {
    pub(super) fn look_at(&self) -> Instant {
        self.look_at
    }

    pub(super) fn beside(&self) -> &Beside {
        &self.beside
    }

    pub(super) fn into_inner(self) -> Beside {
        self.beside
    }
}

impl Leaving {
    pub(super) fn look_at(&self) -> Instant {
        self.look_at
    }
}

impl Runner {
    /// The core wants a relay; it gets one, or the word that there is none.
    pub(super) fn open_relay(&mut self, public_ip: IpAddr) {
        // The port of one that retires may be the one wanted; its time is up.
        self.retiring = None;
        let Some(spot) = self.standby.as_ref().and_then(|standby| standby.spot(public_ip)) else {
            let now = self.now();
            return self.node.handle_relay(now, None);
        };
        let opened = self.opened.clone();
        self.tasks.spawn(async move {
            // Nobody waits when the node has ended.
            let _ = opened.send(spot.start().await).await;
        });
    }

    pub(super) fn relay_opened(&mut self, opened: Result<Beside, StartError>) {
        let now = self.now();
        let beside =
            opened.inspect_err(|error| tracing::warn!(%error, "this volunteer serves without a relay")).ok();
        let offer = beside.as_ref().map(|beside| beside.offer.clone());
        if let Some(beside) = beside {
            self.backlog.push_back(beside.event.clone());
            self.relay_door.send_replace(Some(beside.door.clone()));
            self.relay = Some(beside);
        }
        self.node.handle_relay(now, offer);
    }

    /// The core wants the relay closed: nobody new, and those who are there may go on for a while. When the node is to
    /// end, that is seen to already.
    pub(super) fn close_relay(&mut self) {
        if self.leaving.is_some() {
            return;
        }
        let Some(beside) = self.relay.take() else { return };
        beside.server.drain(RETIRE, None);
        let began = Instant::from_std(now().instant);
        self.retiring = Some(Retiring { beside, look_at: began, until: began + RETIRE });
    }

    /// Looks whether the relay that takes nobody new may be closed, and closes it.
    pub(super) async fn retire(&mut self) {
        let now = Instant::from_std(now().instant);
        let is_over = |retiring: &mut Retiring| {
            let relayed = retiring.beside.server.stats().allocations;
            retiring.look_at = (now + TICK).min(retiring.until);
            relayed == 0 || now >= retiring.until
        };
        // Before it is gone, who was last gets the bill.
        self.collect_receipts();
        if let Some(retired) = self.retiring.take_if(is_over) {
            if self.relay.is_none() {
                self.relay_door.send_replace(None);
            }
            retired.beside.server.shutdown().await;
        }
    }

    /// Begins to end: nobody new, and those who are there are told.
    pub(super) fn leave(&mut self, within: Duration, done: oneshot::Sender<()>) {
        let now = self.now();
        let began = Instant::from_std(now.instant);
        if let Some(Beside { server, .. }) = &self.relay {
            server.drain(within, None);
            self.backlog.push_back(Event::Draining { allocations: server.stats().allocations, within });
        }
        // Whoever asked before has asked for something later.
        self.leaving = Some(Leaving { look_at: began, until: began + within, done });
        self.node.leave(now);
    }

    /// Whoever asked it to end, when it may: nobody is relayed any more, or the time is up.
    pub(super) fn left(&mut self) -> Option<oneshot::Sender<()>> {
        let now = Instant::from_std(now().instant);
        let retiring = self.retiring.as_ref().map(|retiring| &retiring.beside);
        let relays = self.relay.iter().chain(retiring);
        let relayed: u64 = relays.map(|beside| beside.server.stats().allocations).sum();
        let leaving = self.leaving.as_mut()?;
        if relayed > 0 && now < leaving.until {
            leaving.look_at = (now + TICK).min(leaving.until);
            return None;
        }
        self.collect_receipts();
        self.leaving.take().map(|leaving| leaving.done)
    }
}
