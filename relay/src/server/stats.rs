//! Plain counters of what a relay did and refused.

/// What happened since the server started; only ever grows, except `allocations`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Allocations alive now.
    pub allocations: u64,
    /// Allocations ever made.
    pub allocations_made: u64,
    /// Binding requests answered.
    pub bindings: u64,
    /// Requests answered with an error.
    pub errors: u64,
    /// Datagrams that were neither STUN nor ChannelData, or broke their format.
    pub malformed: u64,
    /// Unauthenticated requests left unanswered because somebody asked too often.
    pub rate_limited: u64,
    /// Payloads relayed from clients to peers.
    pub packets_to_peers: u64,
    /// Payloads relayed from peers to clients.
    pub packets_to_clients: u64,
    /// Bytes of payload relayed, both ways.
    pub bytes: u64,
    /// Payloads handed over in memory between two allocations of this server.
    pub packets_in_memory: u64,
    /// Payloads dropped: no allocation, permission or channel, or a refused peer.
    pub refused: u64,
    /// Payloads dropped because a peer has not shown that it takes part in the call.
    pub unproven: u64,
    /// Payloads dropped because a cap on bandwidth or volume is reached.
    pub over_cap: u64,
}

impl Stats {
    /// Adds what another thread or connection counted.
    pub const fn add(&mut self, other: &Self) {
        self.allocations += other.allocations;
        self.allocations_made += other.allocations_made;
        self.bindings += other.bindings;
        self.errors += other.errors;
        self.malformed += other.malformed;
        self.rate_limited += other.rate_limited;
        self.packets_to_peers += other.packets_to_peers;
        self.packets_to_clients += other.packets_to_clients;
        self.bytes += other.bytes;
        self.packets_in_memory += other.packets_in_memory;
        self.refused += other.refused;
        self.unproven += other.unproven;
        self.over_cap += other.over_cap;
    }
}
