//! Hears the RTCP of the other end before anybody else does: `rtc` passes on only what concerns a track it knows, and
//! feedback on the whole transport concerns none.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Instant;

use rtc::interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket, convert_twcc};
use rtc::rtcp::extended_report::{ExtendedReport, VoIPMetricsReportBlock};
use rtc::rtcp::packet::Packet as Rtcp;
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::reception_report::ReceptionReport;
use rtc::rtcp::sender_report::SenderReport;
use rtc::rtcp::transport_feedbacks::transport_layer_cc::TransportLayerCc;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::TransportLayerNack;
use rtc::sansio::Protocol;
use rtc::shared::error::Error;

use crate::session::congestion::PacketResult;
use crate::video::sync::NtpTime;

/// Said between two polls; what is beyond is dropped, and will be said again or is of no use later.
const WAITING: usize = 64;

/// Sequence numbers one request is believed for: more are asked for again.
const MOST_ASKED: usize = 512;

/// Blocks of one extended report that are looked at.
const MOST_BLOCKS: usize = 8;

/// What the other end said.
#[derive(Debug)]
pub(super) enum Said {
    /// What became of packets (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).
    Feedback(Vec<PacketResult>),
    /// Packets of this stream again (RFC 4585 §6.2.1).
    Again { ssrc: u32, sequences: Vec<u16> },
    /// A keyframe of this stream (RFC 4585 §6.3.1, RFC 5104 §4.3.1).
    Keyframe { ssrc: u32 },
    /// The share of this stream's packets that was lost since the report before, 0 to 1, and how unevenly they came, in units of
    /// its timestamps (RFC 3550 §6.4.1).
    Lost { ssrc: u32, share: f32, jitter: u32 },
    /// How much of what this stream sends during bursts of losses is lost, 0 to 1 (RFC 3611 §4.7.2).
    Bursts { ssrc: u32, density: f32 },
    /// What its clock says (RFC 3550 §6.4.1).
    Report { ssrc: u32, ntp: NtpTime, rtp: u32 },
}

/// The part that sits in `rtc`'s chain.
pub(super) struct Ear {
    said: SyncSender<Said>,
    inbound: VecDeque<TaggedPacket>,
    outbound: VecDeque<TaggedPacket>,
}

/// An ear, and what it hears.
pub(super) fn ear() -> (Ear, Receiver<Said>) {
    let (said, heard) = sync_channel(WAITING);
    (Ear { said, inbound: VecDeque::new(), outbound: VecDeque::new() }, heard)
}

impl Ear {
    fn hear(&self, packet: &dyn Rtcp) {
        let any = packet.as_any();
        if let Some(feedback) = any.downcast_ref::<TransportLayerCc>() {
            self.say(Said::Feedback(results(feedback)));
        } else if let Some(nack) = any.downcast_ref::<TransportLayerNack>() {
            let sequences = nack.nacks.iter().flat_map(|pair| pair.packet_list()).take(MOST_ASKED).collect();
            self.say(Said::Again { ssrc: nack.media_ssrc, sequences });
        } else if let Some(loss) = any.downcast_ref::<PictureLossIndication>() {
            self.say(Said::Keyframe { ssrc: loss.media_ssrc });
        } else if let Some(request) = any.downcast_ref::<FullIntraRequest>() {
            request.fir.iter().for_each(|entry| self.say(Said::Keyframe { ssrc: entry.ssrc }));
        } else if let Some(report) = any.downcast_ref::<ExtendedReport>() {
            let blocks = report.reports.iter().take(MOST_BLOCKS);
            let metrics = blocks.filter_map(|block| block.as_any().downcast_ref::<VoIPMetricsReportBlock>());
            for VoIPMetricsReportBlock { ssrc, burst_density, .. } in metrics {
                self.say(Said::Bursts { ssrc: *ssrc, density: f32::from(*burst_density) / 256.0 });
            }
        } else if let Some(report) = any.downcast_ref::<SenderReport>() {
            let ntp = NtpTime(report.ntp_time);
            self.say(Said::Report { ssrc: report.ssrc, ntp, rtp: report.rtp_time });
            self.hear_receptions(&report.reports);
        } else if let Some(report) = any.downcast_ref::<ReceiverReport>() {
            self.hear_receptions(&report.reports);
        }
    }

    /// The statistics of `rtc` tell of no losses.
    fn hear_receptions(&self, receptions: &[ReceptionReport]) {
        for ReceptionReport { ssrc, fraction_lost, jitter, .. } in receptions.iter().take(MOST_BLOCKS) {
            let share = f32::from(*fraction_lost) / 256.0;
            self.say(Said::Lost { ssrc: *ssrc, share, jitter: *jitter });
        }
    }

    fn say(&self, said: Said) {
        if self.said.try_send(said).is_err() {
            tracing::debug!("RTCP that nobody waits for was dropped");
        }
    }
}

/// One result for each packet the feedback counts; an arrival without a time says nothing.
fn results(feedback: &TransportLayerCc) -> Vec<PacketResult> {
    let counted = convert_twcc(feedback).into_iter().take(usize::from(feedback.packet_status_count));
    let told = counted.filter(|told| told.arrived == told.arrival.is_some());
    told.map(|told| PacketResult { number: told.sequence_number, arrival: told.arrival }).collect()
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for Ear {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtcp(packets) = &packet.message.packet {
            packets.iter().for_each(|packet| self.hear(packet.as_ref()));
        }
        self.inbound.push_back(packet);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.inbound.pop_front()
    }

    fn handle_write(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        self.outbound.push_back(packet);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.outbound.pop_front()
    }
}

impl Interceptor for Ear {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rtc::rtcp::transport_feedbacks::transport_layer_cc::{
        PacketStatusChunk, RecvDelta, StatusChunkTypeTcc, StatusVectorChunk, SymbolSizeTypeTcc, SymbolTypeTcc,
    };

    use super::*;

    #[test]
    fn feedback_tells_of_the_packets_it_counts_and_of_no_others() {
        let mut symbols = vec![SymbolTypeTcc::PacketNotReceived; 14];
        symbols[0] = SymbolTypeTcc::PacketReceivedSmallDelta;
        symbols[2] = SymbolTypeTcc::PacketReceivedSmallDelta;
        let vector = StatusVectorChunk {
            type_tcc: StatusChunkTypeTcc::StatusVectorChunk,
            symbol_size: SymbolSizeTypeTcc::OneBit,
            symbol_list: symbols,
        };
        let delta = |delta| RecvDelta { type_tcc_packet: SymbolTypeTcc::PacketReceivedSmallDelta, delta };
        let feedback = TransportLayerCc {
            base_sequence_number: u16::MAX,
            packet_status_count: 3,
            reference_time: 2,
            packet_chunks: vec![PacketStatusChunk::StatusVectorChunk(vector)],
            recv_deltas: vec![delta(250), delta(1000)],
            ..TransportLayerCc::default()
        };
        let told: Vec<_> =
            results(&feedback).into_iter().map(|result| (result.number, result.arrival)).collect();
        let at = |micros: u64| Some(Duration::from_micros(128_000 + micros));
        assert_eq!(told, [(u16::MAX, at(250)), (0, None), (1, at(1250))]);
    }

    #[test]
    fn a_reception_report_tells_what_was_lost_and_how_evenly_the_rest_came() {
        let (ear, heard) = ear();
        let reports = vec![ReceptionReport { ssrc: 7, fraction_lost: 64, jitter: 48, ..Default::default() }];
        ear.hear(&ReceiverReport { ssrc: 1, reports, ..Default::default() });
        let told = heard.try_recv();
        assert!(matches!(told, Ok(Said::Lost { ssrc: 7, share: 0.25, jitter: 48 })), "{told:?}");
    }

    #[test]
    fn an_extended_report_tells_how_much_of_bursts_is_lost() {
        let (ear, heard) = ear();
        let metrics = VoIPMetricsReportBlock { ssrc: 7, burst_density: 192, ..Default::default() };
        ear.hear(&ExtendedReport { sender_ssrc: 1, reports: vec![Box::new(metrics)] });
        let told = heard.try_recv();
        assert!(matches!(told, Ok(Said::Bursts { ssrc: 7, density: 0.75 })), "{told:?}");
    }

    #[test]
    fn what_nobody_polls_stays_bounded() {
        let (ear, heard) = ear();
        let request = PictureLossIndication { sender_ssrc: 1, media_ssrc: 2 };
        (0..10 * WAITING).for_each(|_| ear.hear(&request));
        assert_eq!(heard.try_iter().count(), WAITING);
    }
}
