/**
 * A server of static files for this machine only. It serves the files that existed when it started, and no others. It
 * looks up the path of a request in a table of these files, and never joins the path to a folder.
 */
import { createReadStream, readdirSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { extname, join, relative, sep } from 'node:path';
import { FileError } from '../../errors.ts';
import { PAGE_POLICY } from '../../models/page-policy.ts';

/** This address accepts connections from this machine only. */
const HOST = '127.0.0.1';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.woff2': 'font/woff2',
};

/** The first two headers isolate the page. Only an isolated page can share memory between threads. */
const HEADERS = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Content-Security-Policy': PAGE_POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
};

/** The files of a folder by their paths in a URL. */
function filesOf(folder: string): ReadonlyMap<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const files = entries.map((entry) => {
    const file = join(entry.parentPath ?? entry.path, entry.name);
    return [`/${relative(folder, file).replaceAll(sep, '/')}`, file] as const;
  });
  return new Map(files);
}

/** The path of a URL; null if it is invalid. */
function pathOf(url = '/'): string | null {
  try {
    const path = decodeURIComponent(url.split(/[?#]/)[0]);
    return path.endsWith('/') ? `${path}index.html` : path;
  } catch {
    return null;
  }
}

/**
 * Whether the request names this machine as its host. A foreign site can point its own host name to this machine and
 * then read its answers (DNS rebinding). Such requests are refused.
 */
const isLocal = ({ headers: { host = '' } }: IncomingMessage) =>
  /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(host);

function respond(
  files: ReadonlyMap<string, string>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const refuse = (status: number, more = {}) => response.writeHead(status, { ...HEADERS, ...more }).end();
  if (!isLocal(request)) return void refuse(421);
  if (request.method !== 'GET' && request.method !== 'HEAD') return void refuse(405, { Allow: 'GET, HEAD' });
  const path = pathOf(request.url);
  const file = path === null ? undefined : files.get(path);
  if (file === undefined) return void refuse(path === null ? 400 : 404);
  const kept = path!.startsWith('/assets/') ? 'max-age=31536000, immutable' : 'no-cache';
  const { size } = statSync(file);
  const type = TYPES[extname(file)] ?? 'application/octet-stream';
  response.writeHead(200, {
    ...HEADERS,
    'Content-Type': type,
    'Content-Length': size,
    'Cache-Control': kept,
  });
  if (request.method === 'HEAD') return void response.end();
  createReadStream(file)
    .on('error', () => response.destroy())
    .pipe(response);
}

/**
 * Serves a folder to this machine only.
 * @param port the port; 0 for any free port
 * @param more files from elsewhere, by their paths in addresses
 * @throws FileError if the port is not available
 */
export function serveFolder(
  folder: string,
  port: number,
  more: ReadonlyMap<string, string> = new Map(),
): Promise<{ server: Server; port: number }> {
  const files = new Map([...filesOf(folder), ...more]);
  const server = createServer((request, response) => {
    try {
      respond(files, request, response);
    } catch {
      response.destroy(); // the file has been deleted
    }
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'it is in use; take another one with --port' : error.message;
      reject(new FileError(`cannot serve on port ${port}: ${why}`, error));
    });
    server.listen(port, HOST, () => {
      const address = server.address();
      resolve({ server, port: typeof address === 'object' && address ? address.port : port });
    });
  });
}
