#include "simulator/world_data.h"

#include <fmt/format.h>

namespace playhead::simulator {
namespace {

Network home(const char* isp, std::uint32_t asn, const char* city, const char* region,
             const char* prefix, double share, double kbps) {
    return {isp, city, region, "Wifi", prefix, asn, share, kbps, 0.45, 18};
}

Network wired(const char* isp, std::uint32_t asn, const char* city, const char* region,
              const char* prefix, double share, double kbps) {
    return {isp, city, region, "WiredNetwork", prefix, asn, share, kbps, 0.3, 12};
}

Network cellular(const char* isp, std::uint32_t asn, const char* city, const char* region,
                 const char* prefix, double share, double kbps) {
    return {isp, city, region, "Cellular_LTE", prefix, asn, share, kbps, 0.6, 45};
}

}  // namespace

std::vector<Country> make_countries() {
    return {
        {"DE",
         "EU",
         60,
         0.20,
         {home("Deutsche Telekom", 3320, "Berlin", "Berlin", "79.192.", 0.4, 38000),
          wired("Vodafone", 3209, "Munich", "Bavaria", "88.64.", 0.35, 52000),
          cellular("Telefonica Germany", 6805, "Hamburg", "Hamburg", "2.240.", 0.25, 14000)}},
        {"US",
         "NA",
         -300,
         0.24,
         {home("Comcast", 7922, "Philadelphia", "Pennsylvania", "73.30.", 0.45, 48000),
          wired("Charter", 20115, "Los Angeles", "California", "71.80.", 0.30, 55000),
          cellular("T-Mobile US", 21928, "Dallas", "Texas", "172.56.", 0.25, 18000)}},
        {"GB",
         "EU",
         0,
         0.11,
         {home("British Telecom", 2856, "London", "England", "86.128.", 0.6, 34000),
          cellular("EE", 12576, "Manchester", "England", "31.64.", 0.4, 15000)}},
        {"FR",
         "EU",
         60,
         0.09,
         {home("Orange", 3215, "Paris", "Ile-de-France", "90.1.", 0.65, 42000),
          cellular("SFR", 15557, "Lyon", "Auvergne-Rhone-Alpes", "77.128.", 0.35, 13000)}},
        {"IN",
         "AS",
         330,
         0.11,
         {cellular("Reliance Jio", 55836, "Mumbai", "Maharashtra", "49.36.", 0.7, 7000),
          home("Airtel", 24560, "Bengaluru", "Karnataka", "122.160.", 0.3, 20000)}},
        {"BR",
         "SA",
         -180,
         0.08,
         {home("Vivo", 27699, "Sao Paulo", "Sao Paulo", "177.94.", 0.6, 22000),
          cellular("Claro", 28573, "Rio de Janeiro", "Rio de Janeiro", "187.64.", 0.4, 8000)}},
        {"ES",
         "EU",
         60,
         0.06,
         {home("Telefonica", 3352, "Madrid", "Madrid", "83.32.", 1.0, 45000)}},
        {"JP", "AS", 540, 0.06, {wired("NTT", 4713, "Tokyo", "Tokyo", "118.0.", 1.0, 60000)}},
        {"AU",
         "OC",
         600,
         0.05,
         {home("Telstra", 1221, "Sydney", "New South Wales", "120.144.", 1.0, 26000)}},
    };
}

std::vector<Cdn> make_cdns() {
    return {{"CDN-A", "edge-a.stream.example", 0.5, 1.0, 0.000},
            {"CDN-B", "edge-b.stream.example", 0.3, 0.9, 0.002},
            {"CDN-C", "edge-c.stream.example", 0.2, 0.75, 0.006}};
}

std::vector<Device> make_devices() {
    return {
        {"Smartphone", "Samsung", "SM-S928B", "Galaxy S24 Ultra", "Android", "15", "Chrome",
         "141.0.0.0", "1440x3120", "ExoPlayer", "2.19.1", "StreamApp Android", "8.4.1",
         "Mozilla/5.0 (Linux; Android 15; SM-S928B) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/141.0.0.0 Mobile Safari/537.36",
         0.18, 1080, true},
        {"Smartphone", "Apple", "iPhone17,1", "iPhone 16 Pro", "iOS", "18.6", "Safari", "18.6",
         "1206x2622", "AVPlayer", "18.6", "StreamApp iOS", "8.4.0",
         "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
         "like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
         0.18, 1080, true},
        {"Personal computer", "", "", "", "Windows", "10", "Chrome", "141.0.0.0", "1920x1080",
         "hls.js", "1.7.4", "StreamApp Web", "5.12.0",
         "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/141.0.0.0 Safari/537.36",
         0.14, 1080, false},
        {"Personal computer", "Apple", "Macintosh", "MacBook", "macOS", "10.15.7", "Safari", "18.5",
         "2560x1440", "Shaka", "5.2.12", "StreamApp Web", "5.12.0",
         "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like "
         "Gecko) Version/18.5 Safari/605.1.15",
         0.08, 1080, false},
        {"Personal computer", "", "", "", "Linux", "", "Firefox", "143.0", "1920x1080", "dash.js",
         "5.2.1", "StreamApp Web", "5.11.3",
         "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0", 0.03, 1080,
         false},
        {"Smart TV", "Samsung", "QE55S90D", "OLED S90D", "Tizen", "8.0", "", "", "3840x2160",
         "AVPlay", "8.0", "StreamApp TV", "3.9.2",
         "Mozilla/5.0 (SMART-TV; LINUX; Tizen 8.0) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Version/8.0 TV Safari/537.36",
         0.15, 2160, false},
        {"Smart TV", "LG", "OLED55C4", "OLED C4", "webOS", "24", "", "", "3840x2160", "webOS",
         "24.0", "StreamApp TV", "3.9.1",
         "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/108.0.5359.211 Safari/537.36 WebAppManager",
         0.12, 2160, false},
        {"STB", "Roku", "4802X", "Roku Ultra", "Roku", "14.6", "", "", "3840x2160", "Roku Video",
         "14.6", "StreamApp Roku", "2.7.0", "Roku/DVP-14.6 (14.6.4.4472-88)", 0.07, 2160, false},
        {"Tablet", "Apple", "iPad14,8", "iPad Air", "iPadOS", "18.6", "Safari", "18.6", "1640x2360",
         "AVPlayer", "18.6", "StreamApp iOS", "8.4.0",
         "Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
         "Version/18.6 Mobile/15E148 Safari/604.1",
         0.05, 1080, true},
    };
}

std::vector<Rendition> make_ladder(int fps) {
    const int scale = fps > 30 ? 4 : 3;
    std::vector<Rendition> ladder;
    const int steps[][3] = {{145, 416, 234},    {365, 640, 360},    {730, 768, 432},
                            {1400, 960, 540},   {2000, 1280, 720},  {3400, 1280, 720},
                            {5200, 1920, 1080}, {7800, 1920, 1080}, {14500, 3840, 2160}};
    for (const auto& step : steps) {
        ladder.push_back(
            {step[0] * scale / 3, step[1], step[2], fps, fmt::format("{}x{}", step[1], step[2])});
    }
    return ladder;
}

}  // namespace playhead::simulator
