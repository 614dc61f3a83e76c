/// The keys of SmartSight records, long and compact, per parent object (spec: smartsight.md §9.5.4;
/// the same in smartsight-keys.json). Short keys are only unique inside their parent. Internal.
#pragma once

#include <cstdint>
#include <string_view>

#include "model/event.h"
#include "wire/key_table.h"

namespace playhead::wire {

/// What a key of a SmartSight object means.
enum class Field : std::uint8_t {
    Attribute,  ///< text for `Target::dimension`
    Measure,    ///< number for `Target::measure`, times `Target::factor`
    // record
    Time,
    Position,
    PlayDuration,
    Interval,
    Entries,
    // entry
    StreamId,
    PlayerEvent,
    StreamInfo,
    Content,
    Segments,
    Playback,
    Sdk,
    Client,
    Ad,
    Tags,
    AppEvent,
    User,
    // streamID
    Customer,
    Session,
    PayloadId,
    SessionStart,
    IsLive,
    DataSource,
    // pbEventInfo
    EventName,
    Description,
    // streamInfo
    StreamFormat,
    DurationMs,
    // segInfo
    SegmentBytes,
    SegmentDuration,
    DownloadRate,
    Bitrate,
    // pbInfo
    BufferWait,
    BufferWaitType,
    // clientInfo
    Asn,
    DeviceType,
    // adInfo
    AdId,
    AdClient,
    AdCreativeId,
    AdCreativeType,
    AdDuration,
    AdInterval,
    AdPosition,
    AdLinear,
    AdSystem,
    AdPodIndex,
    AdPodPosition,
    AdPodLength,
    AdResolution,
    AdBitrate,
    AdTitle,
    AdUrl,
    AdBumper,
    // appEventInfo, userInfo
    AppName,
    AppType,
    AppData,
    AppScreen,
    AppGraceful,
    ProfileId,
    ReferralId,
};

struct Target {
    Field field = Field::Attribute;
    model::Dimension dimension{};
    model::Measure measure{};
    double factor = 1;

    constexpr Target() = default;
    constexpr Target(Field f) : field(f) {}
    constexpr Target(model::Dimension d) : field(Field::Attribute), dimension(d) {}
    constexpr Target(model::Measure m, double times = 1)
        : field(Field::Measure), measure(m), factor(times) {}
};

using TargetEntry = KeyEntry<Target>;
using D = model::Dimension;
using M = model::Measure;

inline constexpr TargetEntry kRecordEntries[] = {
    {"t", Field::Time},          {"timestamp", Field::Time},
    {"pt", Field::Position},     {"pbTime", Field::Position},
    {"pd", Field::PlayDuration}, {"playDur", Field::PlayDuration},
    {"i", Field::Interval},      {"interval", Field::Interval},
    {"qd", Field::Entries},      {"qubitData", Field::Entries},
};
inline constexpr KeyTable kRecordKeys(kRecordEntries);

inline constexpr TargetEntry kEntryEntries[] = {
    {"sd", Field::StreamId},    {"streamID", Field::StreamId},
    {"pe", Field::PlayerEvent}, {"pbEventInfo", Field::PlayerEvent},
    {"sif", Field::StreamInfo}, {"streamInfo", Field::StreamInfo},
    {"cm", Field::Content},     {"contentMetadata", Field::Content},
    {"sgi", Field::Segments},   {"segInfo", Field::Segments},
    {"pif", Field::Playback},   {"pbInfo", Field::Playback},
    {"sdi", Field::Sdk},        {"sdkInfo", Field::Sdk},
    {"cif", Field::Client},     {"clientInfo", Field::Client},
    {"aif", Field::Ad},         {"adInfo", Field::Ad},
    {"ctg", Field::Tags},       {"customTags", Field::Tags},
    {"aei", Field::AppEvent},   {"appEventInfo", Field::AppEvent},
    {"ui", Field::User},        {"userInfo", Field::User},
};
inline constexpr KeyTable kEntryKeys(kEntryEntries);

inline constexpr TargetEntry kStreamIdEntries[] = {
    {"ci", Field::Customer},
    {"custId", Field::Customer},
    {"si", Field::Session},
    {"sessionId", Field::Session},
    {"pi", Field::PayloadId},
    {"pId", Field::PayloadId},
    {"PAYLOADID", Field::PayloadId},
    {"sst", Field::SessionStart},
    {"il", Field::IsLive},
    {"isLive", Field::IsLive},
    {"dsr", Field::DataSource},
    {"dataSrc", Field::DataSource},
    {"pn", D::Player},
    {"playerName", D::Player},
    {"dn", D::DomainName},
    {"domainName", D::DomainName},
    {"su", D::StreamUrl},
    {"streamURL", D::StreamUrl},
    {"pv", D::PlayerVersion},
    {"playerVersion", D::PlayerVersion},
    {"pb", D::PlayerBrand},
    {"pm", D::PlayerModel},
    {"exn", D::ExperimentName},
    {"experimentName", D::ExperimentName},
    {"spi", D::SubPropertyId},
    {"subPropertyId", D::SubPropertyId},
    {"vsi", D::ViewSessionId},
    {"viewSessionId", D::ViewSessionId},
    {"bpn", D::BasePlayer},
    {"basePlayerName", D::BasePlayer},
    {"bpv", D::BasePlayerVersion},
    {"basePlayerVersion", D::BasePlayerVersion},
    {"sbi", D::SubscriberId},
    {"subscriberId", D::SubscriberId},
    {"sbt", D::SubscriberType},
    {"subscriberType", D::SubscriberType},
    {"sg", D::SubscriberTag},
    {"subscriberTag", D::SubscriberTag},
    {"ai", D::AssetId},
    {"assetId", D::AssetId},
    {"an", D::AssetName},
    {"assetName", D::AssetName},
    {"vi", D::VideoId},
    {"videoId", D::VideoId},
    {"m", D::Mode},
    {"mode", D::Mode},
    {"sct", D::SourceType},
    {"sourceType", D::SourceType},
    {"mt", D::MediaType},
    {"mediaType", D::MediaType},
    {"shn", D::SourceHostName},
    {"sourceHostName", D::SourceHostName},
};
inline constexpr KeyTable kStreamIdKeys(kStreamIdEntries);

inline constexpr TargetEntry kPlayerEventEntries[] = {
    {"e", Field::EventName},      {"event", Field::EventName}, {"dsc", Field::Description},
    {"desc", Field::Description}, {"pt", Field::Position},     {"pbTime", Field::Position},
};
inline constexpr KeyTable kPlayerEventKeys(kPlayerEventEntries);

inline constexpr TargetEntry kStreamInfoEntries[] = {
    {"td", M::TotalDurationS},   {"totalDuration", M::TotalDurationS},
    {"sf", Field::StreamFormat}, {"streamFormat", Field::StreamFormat},
    {"vk", D::VideoTrack},       {"videoTrack", D::VideoTrack},
    {"sk", D::SubtitleTrack},    {"subtitleTrack", D::SubtitleTrack},
    {"ak", D::AudioTrack},       {"audioTrack", D::AudioTrack},
};
inline constexpr KeyTable kStreamInfoKeys(kStreamInfoEntries);

/// The object that the SDK's README form puts into `streamFormat` (observed.md, correction 14).
inline constexpr TargetEntry kStreamFormatEntries[] = {
    {"sf", D::StreamFormat},
    {"streamFormat", D::StreamFormat},
    {"su", D::StreamUrl},
    {"streamURL", D::StreamUrl},
    {"mt", D::MediaType},
    {"mediaType", D::MediaType},
    {"sct", D::SourceType},
    {"sourceType", D::SourceType},
    {"il", Field::IsLive},
    {"isLive", Field::IsLive},
    {"duration", Field::DurationMs},
};
inline constexpr KeyTable kStreamFormatKeys(kStreamFormatEntries);

inline constexpr TargetEntry kContentEntries[] = {
    {"ai", D::AssetId},       {"assetId", D::AssetId},
    {"an", D::AssetName},     {"assetName", D::AssetName},
    {"vi", D::VideoId},       {"videoId", D::VideoId},
    {"ct", D::ContentType},   {"contentType", D::ContentType},
    {"dp", D::DrmProtection}, {"drmProtection", D::DrmProtection},
    {"dl", D::DrmLevel},      {"drmLevel", D::DrmLevel},
    {"en", D::EpisodeNumber}, {"episodeNumber", D::EpisodeNumber},
    {"g", D::Genre},          {"genre", D::Genre},
    {"se", D::Season},        {"season", D::Season},
    {"st", D::SeriesTitle},   {"seriesTitle", D::SeriesTitle},
    {"vt", D::VideoType},     {"videoType", D::VideoType},
};
inline constexpr KeyTable kContentKeys(kContentEntries);

inline constexpr TargetEntry kSegmentEntries[] = {
    {"t", Field::Time},
    {"timestamp", Field::Time},
    {"r", D::Resolution},
    {"res", D::Resolution},
    {"vc", D::VideoCodec},
    {"vCodec", D::VideoCodec},
    {"ac", D::AudioCodec},
    {"aCodec", D::AudioCodec},
    {"f", M::Fps},
    {"fps", M::Fps},
    {"cb", Field::Bitrate},
    {"cbrBitrate", Field::Bitrate},
    {"dr", Field::DownloadRate},
    {"downloadRate", Field::DownloadRate},
    {"cz", Field::SegmentBytes},
    {"cbrSize", Field::SegmentBytes},
    {"du", Field::SegmentDuration},
    {"dur", Field::SegmentDuration},
};
inline constexpr KeyTable kSegmentKeys(kSegmentEntries);

/// bwInUse is bit/s divided by 1024.
inline constexpr double kKbpsPerKibps = 1.024;

inline constexpr TargetEntry kPlaybackEntries[] = {
    {"t", Field::Time},
    {"timestamp", Field::Time},
    {"bu", {M::BandwidthKbps, kKbpsPerKibps}},
    {"bwInUse", {M::BandwidthKbps, kKbpsPerKibps}},
    {"gm", M::ProgressPercent},
    {"progressMark", M::ProgressPercent},
    {"l", M::StartupMs},
    {"latency", M::StartupMs},
    {"bw", Field::BufferWait},
    {"buffWait", Field::BufferWait},
    {"bwt", Field::BufferWaitType},
    {"buffWaitType", Field::BufferWaitType},
    {"sb", M::StallSumMs},
    {"sumBuffWait", M::StallSumMs},
    {"sbc", M::StallSumCirrMs},
    {"sumBuffWaitCIRR", M::StallSumCirrMs},
    {"sbv", M::StallSumVrtMs},
    {"sumBuffWaitVRT", M::StallSumVrtMs},
    {"sba", M::StallSumAdMs},
    {"sumBuffWaitAAD", M::StallSumAdMs},
    {"fl", M::FramesDropped},
    {"frameloss", M::FramesDropped},
    {"us", M::UpShifts},
    {"upShiftCount", M::UpShifts},
    {"ds", M::DownShifts},
    {"downShiftCount", M::DownShifts},
    {"ud", M::PauseMs},
    {"pauseDuration", M::PauseMs},
};
inline constexpr KeyTable kPlaybackKeys(kPlaybackEntries);

inline constexpr TargetEntry kSdkEntries[] = {
    {"sv", D::SdkVersion},
    {"sdkVersion", D::SdkVersion},
    {"skt", D::SdkType},
    {"sdkType", D::SdkType},
};
inline constexpr KeyTable kSdkKeys(kSdkEntries);

inline constexpr TargetEntry kClientEntries[] = {
    {"apn", D::AppName},
    {"appName", D::AppName},
    {"apv", D::AppVersion},
    {"appVersion", D::AppVersion},
    {"dm", D::DeviceMarketingName},
    {"deviceMarketingName", D::DeviceMarketingName},
    {"sr", D::ScreenResolution},
    {"scrnRes", D::ScreenResolution},
    {"pr", D::PlayerResolution},
    {"playerRes", D::PlayerResolution},
    {"di", D::DeviceId},
    {"deviceId", D::DeviceId},
    {"c", D::Cdn},
    {"cdn", D::Cdn},
    {"op", D::Operator},
    {"operator", D::Operator},
    {"nt", D::NwType},
    {"nwType", D::NwType},
    {"p", D::Platform},
    {"platform", D::Platform},
    {"d", D::Device},
    {"device", D::Device},
    {"deviceType", Field::DeviceType},
    {"br", D::Brand},
    {"brand", D::Brand},
    {"deviceBrand", D::Brand},
    {"ml", D::Model},
    {"model", D::Model},
    {"deviceModel", D::Model},
    {"v", D::OsVersion},
    {"version", D::OsVersion},
    {"osVersion", D::OsVersion},
    {"b", D::Browser},
    {"browser", D::Browser},
    {"bv", D::BrowserVersion},
    {"browserVersion", D::BrowserVersion},
    {"shn", D::SourceHostName},
    {"sourceHostName", D::SourceHostName},
    {"asn", Field::Asn},
};
inline constexpr KeyTable kClientKeys(kClientEntries);

inline constexpr TargetEntry kAdEntries[] = {
    {"id", Field::AdId},           {"adId", Field::AdId},
    {"cl", Field::AdClient},       {"adClient", Field::AdClient},
    {"cid", Field::AdCreativeId},  {"adCreativeId", Field::AdCreativeId},
    {"ct", Field::AdCreativeType}, {"adCreativeType", Field::AdCreativeType},
    {"d", Field::AdDuration},      {"adDuration", Field::AdDuration},
    {"i", Field::AdInterval},      {"adInterval", Field::AdInterval},
    {"p", Field::AdPosition},      {"adPosition", Field::AdPosition},
    {"al", Field::AdLinear},       {"adLinear", Field::AdLinear},
    {"s", Field::AdSystem},        {"adSystem", Field::AdSystem},
    {"pi", Field::AdPodIndex},     {"adPodIndex", Field::AdPodIndex},
    {"pp", Field::AdPodPosition},  {"adPodPosition", Field::AdPodPosition},
    {"pl", Field::AdPodLength},    {"adPodLength", Field::AdPodLength},
    {"r", Field::AdResolution},    {"adResolution", Field::AdResolution},
    {"b", Field::AdBitrate},       {"adBitrate", Field::AdBitrate},
    {"t", Field::AdTitle},         {"adTitle", Field::AdTitle},
    {"u", Field::AdUrl},           {"adUrl", Field::AdUrl},
    {"ib", Field::AdBumper},       {"isBumper", Field::AdBumper},
};
inline constexpr KeyTable kAdKeys(kAdEntries);

inline constexpr TargetEntry kAppEventEntries[] = {
    {"en", Field::AppName},
    {"eventName", Field::AppName},
    {"et", Field::AppType},
    {"eventType", Field::AppType},
    {"ed", Field::AppData},
    {"eventData", Field::AppData},
    {"cs", Field::AppScreen},
    {"currentScreen", Field::AppScreen},
    {"ig", Field::AppGraceful},
    {"isGraceful", Field::AppGraceful},
    {"isGraceFul", Field::AppGraceful},
};
inline constexpr KeyTable kAppEventKeys(kAppEventEntries);

inline constexpr TargetEntry kUserEntries[] = {
    {"pid", Field::ProfileId},
    {"profileId", Field::ProfileId},
    {"rid", Field::ReferralId},
    {"referralId", Field::ReferralId},
};
inline constexpr KeyTable kUserKeys(kUserEntries);

}  // namespace playhead::wire
