// What a viewer saw, from the video element's events: the independent source of the comparison.

/** Startup, stalls (not those of startup or seeks), pauses, seeks and play time, in ms. */
export function truthOf(events) {
  const asked = events.find((e) => e.type === 'play') ?? events[0];
  const first = events.find((e) => e.type === 'playing');
  const truth = { startupMs: first.t - asked.t, stalls: [], pauses: [], seeks: 0, playingMs: 0 };
  let playingSince = first.t;
  let waitingSince = null;
  let pausedSince = null;
  let seeking = false;
  const stopPlaying = (t) => {
    if (playingSince !== null) truth.playingMs += t - playingSince;
    playingSince = null;
  };
  for (const e of events.slice(events.indexOf(first) + 1)) {
    if (e.type === 'waiting' && pausedSince === null) {
      stopPlaying(e.t);
      if (!seeking && waitingSince === null) waitingSince = e.t;
    } else if (e.type === 'seeking') {
      truth.seeks += 1;
      seeking = true;
      stopPlaying(e.t);
    } else if (e.type === 'pause') {
      if (events.some((other) => other.type === 'ended' && Math.abs(other.t - e.t) < 50)) continue;
      stopPlaying(e.t);
      pausedSince = e.t;
    } else if (e.type === 'playing') {
      if (waitingSince !== null) truth.stalls.push(e.t - waitingSince);
      if (pausedSince !== null) truth.pauses.push(e.t - pausedSince);
      waitingSince = null;
      pausedSince = null;
      seeking = false;
      playingSince = e.t;
    } else if (e.type === 'ended') {
      stopPlaying(e.t);
    }
  }
  return truth;
}
