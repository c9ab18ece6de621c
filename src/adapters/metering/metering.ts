// The metering of one session: the proxy is started when the first agent wants it, and ends with the session.

import { failed, type Result, success } from "../../core/result.ts";
import type { Environment } from "../process/environment.ts";
import { codeOf } from "../process/output.ts";
import { type MeteringProxy, startMeteringProxy } from "./proxy.ts";
import { findServices, type Services } from "./upstreams.ts";

export interface Metering {
  /** What the builder has keys for. Fails with a sentence. */
  services(): Result<Services, string>;
  /** The same one for all. Fails with a sentence. */
  proxy(): Promise<Result<MeteringProxy, string>>;
  end(): void;
}

export function openMetering(environment: Environment): Metering {
  const services = findServices(environment);
  let started: Promise<Result<MeteringProxy, string>> | null = null;
  let isEnded = false;
  async function start(): Promise<Result<MeteringProxy, string>> {
    if (!services.ok) return services;
    try {
      const proxy = await startMeteringProxy({ services: services.value });
      if (isEnded) proxy.end();
      return success(proxy);
    } catch (error) {
      return failed(`it could not listen on 127.0.0.1: ${codeOf(error)}`);
    }
  }
  return {
    services: () => services,
    proxy: () => {
      started ??= start();
      return started;
    },
    end: () => {
      isEnded = true;
      void started?.then((proxy) => {
        if (proxy.ok) proxy.value.end();
      });
    },
  };
}
