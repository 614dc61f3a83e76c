// The stream that the page plays, made by ffmpeg, and a media server whose rate can be throttled.
import { execFileSync } from 'node:child_process';
import { createReadStream, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';

const TYPES = { '.m3u8': 'application/vnd.apple.mpegurl', '.ts': 'video/mp2t', '.html': 'text/html',
  '.js': 'text/javascript' };

/** Makes a 40 s HLS stream with two renditions below `folder`. */
export function makeStream(folder) {
  mkdirSync(folder, { recursive: true });
  if (existsSync(path.join(folder, 'master.m3u8'))) return;
  const renditions = [['v0', '320x180', '250k'], ['v1', '640x360', '900k']];
  for (const [name, size, rate] of renditions) {
    mkdirSync(path.join(folder, name));
    execFileSync('ffmpeg', ['-loglevel', 'error', '-y', '-f', 'lavfi', '-i',
      `testsrc2=size=${size}:rate=25,noise=alls=12:allf=t`, '-f', 'lavfi', '-i', 'sine=frequency=440',
      '-t', '40', '-c:v', 'libx264', '-preset', 'ultrafast', '-profile:v', 'baseline', '-pix_fmt',
      'yuv420p', '-b:v', rate, '-maxrate', rate, '-bufsize', rate, '-g', '50', '-c:a', 'aac', '-b:a',
      '64k', '-f', 'hls', '-hls_time', '2', '-hls_playlist_type', 'vod', '-hls_segment_filename',
      path.join(folder, name, 'seg-%03d.ts'), path.join(folder, name, 'index.m3u8')]);
  }
  const master = ['#EXTM3U', '#EXT-X-VERSION:3',
    '#EXT-X-STREAM-INF:BANDWIDTH=345000,RESOLUTION=320x180,CODECS="avc1.42c00d,mp4a.40.2"',
    'v0/index.m3u8',
    '#EXT-X-STREAM-INF:BANDWIDTH=1060000,RESOLUTION=640x360,CODECS="avc1.42c01e,mp4a.40.2"',
    'v1/index.m3u8', ''].join('\n');
  execFileSync('tee', [path.join(folder, 'master.m3u8')], { input: master, stdio: ['pipe', 'ignore', 'ignore'] });
}

/** Serves `roots` ({ prefix: folder or file }); `rate.bytesPerSecond` throttles segments. */
export async function serveMedia(roots) {
  const rate = { bytesPerSecond: Infinity };
  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://127.0.0.1');
    const prefix = Object.keys(roots).find((key) => url.pathname.startsWith(key));
    const target = prefix && path.join(roots[prefix], url.pathname.slice(prefix.length));
    if (!target || target.includes('..') || !existsSync(target) || !statSync(target).isFile()) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'content-type': TYPES[path.extname(target)] ?? 'application/octet-stream',
      'content-length': statSync(target).size, 'cache-control': 'no-store' });
    if (path.extname(target) !== '.ts') {
      createReadStream(target).pipe(response);
      return;
    }
    const bytes = readFileSync(target);
    let sent = 0;
    const tick = () => {
      if (response.destroyed) return;
      const slice = rate.bytesPerSecond === Infinity ? bytes.length : Math.ceil(rate.bytesPerSecond / 20);
      response.write(bytes.subarray(sent, sent + slice));
      sent += slice;
      if (sent >= bytes.length) response.end();
      else setTimeout(tick, 50);
    };
    tick();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, rate, close: () => server.close() };
}
