// One end of a call, inside a page: `tell` takes what the other end is to hear, `call` holds what a test asks for.
"use strict";

const call = {
  states: [],
  echoes: [],

  /// Takes the fake microphone and, if wanted, the fake camera, and makes the connection.
  async open({ video }) {
    const connection = (this.connection = new RTCPeerConnection());
    connection.onicecandidate = (event) => {
      if (event.candidate) say({ t: "cand", c: event.candidate.toJSON() });
    };
    connection.onconnectionstatechange = () => this.states.push(connection.connectionState);
    connection.ontrack = (event) => (event.track.kind === "audio" ? this.hear(event.track) : this.watch(event.track));
    connection.ondatachannel = (event) => this.talkOver(event.channel);
    const wanted = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    this.own = await navigator.mediaDevices.getUserMedia({ audio: wanted, video });
    for (const track of this.own.getTracks()) connection.addTrack(track, this.own);
  },

  async offer(options) {
    if (!options) this.talkOver(this.connection.createDataChannel("chat"));
    await this.connection.setLocalDescription(await this.connection.createOffer(options));
    say({ t: "offer", sdp: this.connection.localDescription.sdp });
  },

  async take(message) {
    const { connection } = this;
    if (message.t === "offer") {
      await connection.setRemoteDescription({ type: "offer", sdp: message.sdp });
      await connection.setLocalDescription(await connection.createAnswer());
      say({ t: "answer", sdp: connection.localDescription.sdp });
    } else if (message.t === "answer") {
      await connection.setRemoteDescription({ type: "answer", sdp: message.sdp });
    } else if (message.t === "cand") {
      await connection.addIceCandidate(message.c);
    }
  },

  talkOver(channel) {
    channel.onmessage = (event) => this.echoes.push(event.data);
    if (channel.readyState === "open") channel.send("hello");
    else channel.onopen = () => channel.send("hello");
  },

  hear(track) {
    const sound = new MediaStream([track]);
    // Chromium decodes sound for nobody unless an element plays it.
    const player = new Audio();
    player.srcObject = sound;
    player.play();
    const context = (this.context = new AudioContext({ sampleRate: 48000 }));
    this.analyser = context.createAnalyser();
    this.analyser.fftSize = 16384;
    context.createMediaStreamSource(sound).connect(this.analyser);
    context.resume();
  },

  watch(track) {
    const screen = (this.screen = document.createElement("video"));
    screen.muted = true;
    screen.srcObject = new MediaStream([track]);
    screen.play();
  },

  /// The frequency at which most is heard, in hertz; null in silence.
  tone() {
    if (!this.analyser) return null;
    const levels = new Float32Array(this.analyser.frequencyBinCount);
    this.analyser.getFloatFrequencyData(levels);
    let loudest = 0;
    for (let bin = 1; bin < levels.length; bin++) if (levels[bin] > levels[loudest]) loudest = bin;
    return levels[loudest] > -60 ? (loudest * 48000) / this.analyser.fftSize : null;
  },

  /// The colour in the middle of what is seen: red, green, blue.
  colour() {
    const { screen } = this;
    if (!screen || !screen.videoWidth) return null;
    const canvas = new OffscreenCanvas(1, 1);
    const context = canvas.getContext("2d");
    context.drawImage(screen, screen.videoWidth / 2, screen.videoHeight / 2, 1, 1, 0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
  },

  async look() {
    const figures = { tone: this.tone(), colour: this.colour(), echoes: this.echoes, states: this.states };
    const kept = {
      "inbound-rtp": ["packetsReceived", "packetsLost", "framesDecoded", "freezeCount", "totalFreezesDuration",
        "keyFramesDecoded", "frameWidth", "frameHeight", "pliCount", "nackCount", "bytesReceived"],
      "outbound-rtp": ["packetsSent", "framesEncoded", "bytesSent", "retransmittedPacketsSent", "pliCount", "nackCount",
        "targetBitrate", "frameWidth", "frameHeight", "qualityLimitationReason"],
      "remote-inbound-rtp": ["roundTripTime", "fractionLost"],
    };
    for (const report of (await this.connection.getStats()).values()) {
      const names = kept[report.type];
      if (names) figures[`${report.kind} ${report.type}`] = Object.fromEntries(names.map((name) => [name, report[name]]));
      if (report.type === "transport") {
        figures.transport = { srtp: report.srtpCipher, changes: report.selectedCandidatePairChanges };
      }
      if (report.type === "candidate-pair" && report.nominated) {
        figures.pair = { available: report.availableOutgoingBitrate, rtt: report.currentRoundTripTime };
      }
    }
    figures.user = /a=ice-ufrag:(\S+)/.exec(this.connection.localDescription?.sdp ?? "")?.[1];
    return figures;
  },
};

function say(message) {
  tell(JSON.stringify(message));
}
