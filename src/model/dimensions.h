/// The text dimensions of a session: one list for decoders, rows, migrations and dictionary.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace playhead::model {

/// X(Enumerator, column). The column is the API's name (spec: ours.md §5), lower case. The order is
/// the order of the columns in `sessions`, `live_sessions`, `slices` and `ad_views`; snapshots
/// store the column name, so the list may grow anywhere.
#define PLAYHEAD_SESSION_DIMENSIONS(X)          \
    X(ViewSessionId, viewsessionid)             \
    X(SubscriberId, subscriberid)               \
    X(SubscriberType, subscribertype)           \
    X(SubscriberTag, subscribertag)             \
    X(DeviceId, deviceid)                       \
    X(AssetId, assetid)                         \
    X(AssetName, assetname)                     \
    X(VideoId, videoid)                         \
    X(SeriesTitle, seriestitle)                 \
    X(Season, season)                           \
    X(EpisodeNumber, episodenumber)             \
    X(Genre, genre)                             \
    X(ContentType, contenttype)                 \
    X(VideoType, videotype)                     \
    X(DrmProtection, drmprotection)             \
    X(DrmLevel, drmlevel)                       \
    X(StreamFormat, streamformat)               \
    X(StreamUrl, streamurl)                     \
    X(SourceHostName, sourcehostname)           \
    X(SourceType, sourcetype)                   \
    X(MediaType, mediatype)                     \
    X(Mode, mode)                               \
    X(Cdn, cdn)                                 \
    X(Player, player)                           \
    X(PlayerVersion, playerversion)             \
    X(PlayerBrand, playerbrand)                 \
    X(PlayerModel, playermodel)                 \
    X(BasePlayer, baseplayer)                   \
    X(BasePlayerVersion, baseplayerversion)     \
    X(SdkType, sdktype)                         \
    X(SdkVersion, sdkversion)                   \
    X(AppName, appname)                         \
    X(AppVersion, appversion)                   \
    X(DomainName, domainname)                   \
    X(SubPropertyId, subpropertyid)             \
    X(ExperimentName, experimentname)           \
    X(Platform, platform)                       \
    X(OsVersion, osversion)                     \
    X(Device, device)                           \
    X(Brand, brand)                             \
    X(Model, model)                             \
    X(DeviceMarketingName, devicemarketingname) \
    X(Browser, browser)                         \
    X(BrowserVersion, browserversion)           \
    X(NwType, nwtype)                           \
    X(Operator, operator)                       \
    X(Isp, isp)                                 \
    X(IpAddress, ipaddress)                     \
    X(Continent, continent)                     \
    X(Country, country)                         \
    X(Region, region)                           \
    X(City, city)                               \
    X(EndReason, endreason)                     \
    X(ErrorCode, errorcode)                     \
    X(ErrorMessage, errormessage)               \
    X(Resolution, res)                          \
    X(VideoCodec, vcodec)                       \
    X(AudioCodec, acodec)                       \
    X(ScreenResolution, screenresolution)       \
    X(PlayerResolution, playerresolution)       \
    X(VideoTrack, videotrack)                   \
    X(AudioTrack, audiotrack)                   \
    X(SubtitleTrack, subtitletrack)

enum class Dimension : std::uint8_t {
#define PLAYHEAD_ENUMERATOR(name, column) name,
    PLAYHEAD_SESSION_DIMENSIONS(PLAYHEAD_ENUMERATOR)
#undef PLAYHEAD_ENUMERATOR
};

inline constexpr std::array kDimensionNames{
#define PLAYHEAD_NAME(name, column) std::string_view(#column),
    PLAYHEAD_SESSION_DIMENSIONS(PLAYHEAD_NAME)
#undef PLAYHEAD_NAME
};

inline constexpr std::size_t kDimensionCount = kDimensionNames.size();

constexpr std::size_t index_of(Dimension dimension) noexcept {
    return static_cast<std::size_t>(dimension);
}

constexpr std::string_view name_of(Dimension dimension) noexcept {
    return kDimensionNames[index_of(dimension)];
}

/// The dimension of a column name; nullopt when there is none. Linear: not for hot paths.
constexpr std::optional<Dimension> dimension_named(std::string_view name) noexcept {
    for (std::size_t index = 0; index < kDimensionCount; ++index) {
        if (kDimensionNames[index] == name) return static_cast<Dimension>(index);
    }
    return std::nullopt;
}

/// Longest value kept of any dimension or tag, bytes; longer ones are cut at a UTF-8 boundary.
inline constexpr std::size_t kDimensionValueBytesMax = 512;
/// Most custom tags kept per session.
inline constexpr std::size_t kTagsMax = 32;

}  // namespace playhead::model
