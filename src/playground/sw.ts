/**
 * The service worker: answers for every file of the site, from its store where the network has none, and adds the
 * headers that isolate the page. Names of scripts hold their hash, so that what is stored under one is never stale;
 * pages come from the network first.
 */
import { PAGE_POLICY } from '../models/page-policy.ts';

/**
 * What the build puts in front: the files of the site but its models, its models, and a name that changes with any file.
 * Models are large: they are stored when a page is there, or when a lesson first loads one.
 */
declare const SITE: {
  readonly version: string;
  readonly files: readonly string[];
  readonly models: readonly string[];
};

interface Waits extends Event {
  waitUntil(what: Promise<unknown>): void;
}
interface Asks extends Waits {
  readonly request: Request;
  respondWith(what: Promise<Response>): void;
}
const worker = globalThis as unknown as {
  readonly registration: { readonly scope: string };
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: 'install' | 'activate' | 'message', hear: (event: Waits) => void): void;
  addEventListener(type: 'fetch', hear: (event: Asks) => void): void;
};

const STORE = `langevin-${SITE.version}`;

const HEADERS = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Content-Security-Policy': PAGE_POLICY,
};

async function fill(): Promise<void> {
  const store = await caches.open(STORE);
  await store.addAll(SITE.files.map((file) => new Request(file, { cache: 'no-cache' })));
  await worker.skipWaiting();
}

async function clear(): Promise<void> {
  const old = (await caches.keys()).filter((name) => name.startsWith('langevin-') && name !== STORE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await worker.clients.claim();
}

/** The same answer with the headers of an isolated page, and its policy. */
function isolated(response: Response): Response {
  if (response.type === 'opaque' || response.status === 0) return response;
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(HEADERS)) headers.set(name, value);
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}

/** A model from the store, or from the network into the store. */
async function model(request: Request, store: Cache): Promise<Response> {
  const kept = await store.match(request);
  if (kept) return kept;
  const response = await fetch(request, { cache: 'no-cache' });
  if (response.ok) await store.put(request, response.clone());
  return response;
}

/** All models go into the store, one after the other. Without a network the next page tries again. */
async function keepModels(): Promise<void> {
  try {
    const store = await caches.open(STORE);
    for (const file of SITE.models) await model(new Request(file), store);
  } catch {
    keeping = null;
  }
}
let keeping: Promise<void> | null = null;

async function answer(request: Request): Promise<Response> {
  const store = await caches.open(STORE);
  const stored = () => store.match(request, { ignoreSearch: true });
  const hashed = /\/assets\//.test(request.url);
  const kept = hashed ? await stored() : undefined;
  if (kept) return isolated(kept);
  try {
    if (/\/models\//.test(request.url)) return isolated(await model(request, store));
    return isolated(await fetch(request));
  } catch (error) {
    const last = await stored();
    if (last) return isolated(last);
    throw error;
  }
}

worker.addEventListener('install', (event) => event.waitUntil(fill()));
worker.addEventListener('activate', (event) => event.waitUntil(clear()));
// A page sends its only message when it is there: lessons that need a model then work offline too.
worker.addEventListener('message', (event) => event.waitUntil((keeping ??= keepModels())));
worker.addEventListener('fetch', (event) => {
  const { method, url } = event.request;
  if (method === 'GET' && url.startsWith(worker.registration.scope)) event.respondWith(answer(event.request));
});
