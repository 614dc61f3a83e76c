#include "wire/event_names.h"

#include "wire/key_table.h"

namespace playhead::wire {
namespace {

using K = model::EventKind;

constexpr KeyEntry<K> kNames[] = {
    {"ONLOAD", K::Load},
    {"START", K::Start},
    {"START_AFTER_AD", K::Start},
    {"PAUSE", K::Pause},
    {"RESUME", K::Resume},
    {"BUFFERING", K::BufferStart},
    {"BUFFERING_START", K::BufferStart},
    {"BUFFERING_COMPLETE", K::BufferEnd},
    {"SEEK_START", K::SeekStart},
    {"SEEK_COMPLETE", K::SeekEnd},
    {"SEEKED", K::SeekEnd},
    {"ENDED", K::Ended},
    {"COMPLETE", K::Complete},
    {"PING", K::Ping},
    {"STATS", K::Stats},
    {"RENDITION_CHANGE", K::Rendition},
    {"AUDIO_CHANGE", K::AudioTrack},
    {"SUBTITLE_CHANGE", K::SubtitleTrack},
    {"MANIFEST_LOADED", K::Manifest},
    {"CDN_CHANGE", K::CdnChange},
    {"DRM_CHANGE", K::DrmChange},
    {"FALLBACK_ATTEMPT", K::Fallback},
    {"RATE_CHANGE", K::Rate},
    {"VOLUME_CHANGE", K::Volume},
    {"RESIZE", K::Resize},
    {"DURATION_CHANGE", K::Duration},
    {"ERROR", K::Error},
    {"AD_REQUEST", K::AdRequest},
    {"AD_RESPONSE", K::AdResponse},
    {"AD_BREAK_STARTED", K::AdBreakStart},
    {"AD_BREAK_ENDED", K::AdBreakEnd},
    {"AD_IMPRESSION", K::AdImpression},
    {"AD_PLAY", K::AdPlay},
    {"AD_PLAYING", K::AdPlaying},
    {"AD_PLAYED_FIRST_QUARTILE", K::AdFirstQuartile},
    {"AD_PLAYED_SECOND_QUARTILE", K::AdMidpoint},
    {"AD_PLAYED_THIRD_QUARTILE", K::AdThirdQuartile},
    {"AD_PAUSED", K::AdPause},
    {"AD_RESUMED", K::AdResume},
    {"AD_BUFFERING", K::AdBufferStart},
    {"AD_BUFFERING_START", K::AdBufferStart},
    {"AD_BUFFERING_COMPLETE", K::AdBufferEnd},
    {"AD_CLICK", K::AdClick},
    {"AD_SKIPPED", K::AdSkip},
    {"AD_ERROR", K::AdError},
    {"AD_BLOCK", K::AdBlock},
    {"AD_ENDED", K::AdEnded},
    {"AD_COMPLETE", K::AdComplete},
};
constexpr KeyTable kTable(kNames);

}  // namespace

model::EventKind kind_of_event(std::string_view name) noexcept {
    if (const K* kind = kTable.find(name)) return *kind;
    if (name.starts_with("RF_")) return K::RequestFailed;
    if (name.starts_with("RC_")) return K::RequestCancelled;
    return K::Custom;
}

}  // namespace playhead::wire
