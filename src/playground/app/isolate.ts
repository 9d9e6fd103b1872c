/**
 * The service worker keeps the page for times without a network, and gives it the headers that shared memory needs
 * where the host sends none. For these the page is loaded once more, and never twice.
 */
const RELOADED = 'langevin-reloaded';

/** Asks for the models of lessons that may follow, unless the reader saves data. A lesson loads what it needs anyway. */
function keepModels(active: ServiceWorker | null): void {
  const { connection } = navigator as { connection?: { saveData?: boolean } };
  if (!connection?.saveData) active?.postMessage('keep the models');
}

export async function isolate(): Promise<void> {
  if (!('serviceWorker' in navigator) || !isSecureContext) return;
  try {
    const registration = await navigator.serviceWorker.register('sw.js');
    void navigator.serviceWorker.ready.then(({ active }) => keepModels(active));
    if (crossOriginIsolated) return;
    const worker = registration.active ?? registration.waiting ?? registration.installing;
    if (!worker) return;
    const active = () => {
      if (worker.state !== 'activated' || sessionStorage.getItem(RELOADED)) return;
      sessionStorage.setItem(RELOADED, 'yes');
      location.reload();
    };
    worker.addEventListener('statechange', active);
    active();
  } catch {
    // A host or a browser that forbids it: the page works as it is, on one thread and with a network.
  }
}
