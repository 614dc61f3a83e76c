#include "net/reply_writer.h"

#include <array>
#include <charconv>
#include <ctime>

namespace playhead::net {

namespace {

void append_number(std::string& out, std::uint64_t number) {
    std::array<char, 24> text;
    const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
    out.append(text.data(), static_cast<std::size_t>(end - text.data()));
}

}  // namespace

std::string_view http_date(std::int64_t epoch_ms) {
    thread_local std::time_t cached_second = -1;
    thread_local std::array<char, 40> text{};
    thread_local std::size_t length = 0;
    const auto second = static_cast<std::time_t>(epoch_ms / 1000);
    if (second != cached_second) {
        std::tm parts{};
        gmtime_r(&second, &parts);
        // The process never leaves the C locale, so the names are English.
        length = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
        cached_second = second;
    }
    return {text.data(), length};
}

void append_reply(std::string& out, const Response& response, ReplyShape shape,
                  std::string_view fixed_lines, std::int64_t now_ms) {
    out.append("HTTP/1.1 ");
    append_number(out, static_cast<std::uint64_t>(response.status));
    out.append(" ").append(status_phrase(response.status)).append("\r\nDate: ");
    out.append(http_date(now_ms)).append("\r\nServer: playhead\r\n");
    out.append(fixed_lines).append(response.header_lines());
    const bool bodyless = response.status < 200 || response.status == 204 || response.status == 304;
    if (shape.stream) {
        if (!shape.http10) out.append("Transfer-Encoding: chunked\r\n");
    } else if (!bodyless) {
        out.append("Content-Length: ");
        append_number(out, response.body.size());
        out.append("\r\n");
    }
    if (shape.close) {
        out.append("Connection: close\r\n");
    } else if (shape.http10) {
        out.append("Connection: keep-alive\r\n");
    }
    out.append("\r\n");
    if (!shape.stream && !bodyless && !shape.head_request) out.append(response.body);
}

}  // namespace playhead::net
