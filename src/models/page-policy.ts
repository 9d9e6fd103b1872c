/**
 * The Content-Security-Policy of the lessons: a page may load its own files, and nothing from elsewhere. The page has it
 * in its HTML. The server and the service worker send it as a header too, because a worker takes its policy from the
 * headers of its own file.
 */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');
