"""Recorded requests of CMCD players in the clothes of each CDN's access log."""
import json
import time
import urllib.parse

def cloudfront(entry):
    moment = time.gmtime(entry["t"] // 1000)
    fields = {"date": time.strftime("%Y-%m-%d", moment), "time": time.strftime("%H:%M:%S", moment),
              "c-ip": entry["ip"], "cs(Host)": "d111.cloudfront.net",
              "cs-uri-stem": entry["path"], "cs(User-Agent)": urllib.parse.quote(entry["agent"], safe="/;(),"),
              "cs-uri-query": entry["query"], "x-edge-request-id": entry["id"],
              "x-host-header": "video.example.test"}
    return "\t".join(fields.get(name, "-") for name in CLOUDFRONT_FIELDS)


CLOUDFRONT_FIELDS = (
    "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) "
    "cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header "
    "cs-protocol").split()


def realtime(entry):
    return "\t".join([f"{entry['t'] / 1000:.3f}", entry["ip"], "video.example.test", entry["path"],
                      urllib.parse.quote(entry["agent"]), entry["query"]])


def akamai(entry):
    return json.dumps({"version": "2", "streamId": "1", "cp": "9", "reqId": entry["id"],
                       "reqTimeSec": f"{entry['t'] / 1000:.3f}", "cliIP": entry["ip"],
                       "reqHost": "video.example.test", "reqPath": entry["path"][1:],
                       "UA": urllib.parse.quote(entry["agent"], safe=""), "statusCode": "200",
                       "queryStr": entry["query"]})


def fastly(entry):
    return "<134>2026-11-25T21:00:00Z cache-fra1 cdn[62959]: " + json.dumps({
        "timestamp": entry["t"], "client_ip": entry["ip"], "host": "video.example.test",
        "url": f"{entry['path']}?{entry['query']}", "request_user_agent": entry["agent"],
        "request": "GET", "request_id": entry["id"]})


NGINX_FIELDS = ('$remote_addr $host [$msec] "$request" $status "$http_user_agent" "$http_cmcd_object" '
                '"$http_cmcd_request" "$http_cmcd_session" "$http_cmcd_status" $request_id')


def nginx(entry):
    """CMCD in headers here, one key of each in its own."""
    keys = urllib.parse.unquote(entry["query"][5:]).split(",")
    groups = {name: ",".join(key for key in keys if key.split("=")[0] in members)
              for name, members in (("object", ("br", "d", "ot", "tb")),
                                    ("request", ("bl", "mtp", "su")),
                                    ("session", ("cid", "sf", "sid", "st")), ("status", ("bs",)))}
    escaped = {name: (text or "-").replace('"', "\\x22") for name, text in groups.items()}
    return (f"{entry['ip']} video.example.test [{entry['t'] / 1000:.3f}] \"GET {entry['path']} HTTP/1.1\" 206 "
            f"\"{entry['agent']}\" \"{escaped['object']}\" \"{escaped['request']}\" "
            f"\"{escaped['session']}\" \"{escaped['status']}\" {entry['id']}")


FORMATS = {
    "cloudfront": (cloudfront, [], "#Version: 1.0\n#Fields: " + " ".join(CLOUDFRONT_FIELDS) + "\n"),
    "cloudfront-realtime": (realtime, ["--fields", "timestamp,c-ip,cs-host,cs-uri-stem,"
                                       "cs-user-agent,cs-uri-query"], ""),
    "akamai": (akamai, [], ""),
    "fastly": (fastly, [], ""),
    "nginx": (nginx, ["--fields", NGINX_FIELDS], ""),
}
