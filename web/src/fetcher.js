import { createGraphiQLFetcher, isAsyncIterable } from '@graphiql/toolkit';
import { Kind, parse } from 'graphql';
import { createClient } from 'graphql-ws';
import { MissingId } from './carried-ids.js';

const EARLIER_EVENTS_SHOWN = 20;

/** Queries and mutations by HTTP, subscriptions by graphql-transport-ws, both with the headers editor's token. */
export function createFetcher({ endpoint, subscriptionEndpoint, ids }) {
  const fetchers = new Map();

  // A socket is authenticated once, when it opens: another token needs another client.
  function fetcherFor(authorization) {
    if (!fetchers.has(authorization)) {
      const wsClient = createClient({
        url: webSocketAddress(subscriptionEndpoint),
        connectionParams: authorization ? { authorization } : {},
        // Opened ahead by whoever has a token, so that pressing play on a subscription waits for no handshake.
        lazy: !authorization,
        // What is wrong with a token is told by the operation that is sent with it.
        onNonLazyError: () => {},
      });
      fetchers.set(authorization, createGraphiQLFetcher({ url: endpoint, wsClient, enableIncrementalDelivery: false }));
    }
    return fetchers.get(authorization);
  }

  return async (request, options) => {
    let variables;
    try {
      variables = ids.fill(request.variables);
    } catch (error) {
      if (error instanceof MissingId) return { errors: [{ message: error.message }] };
      throw error;
    }
    const { operationName, documentAST } = operationOf(request);
    const send = fetcherFor(authorizationIn(options?.headers));
    const result = await send({ ...request, operationName, variables }, { ...options, documentAST });
    if (isAsyncIterable(result)) return withEarlierEvents(result, ids);
    ids.note(result.data);
    return result;
  };
}

/**
 * The operation to run. GraphiQL reads the document a moment after it changed: pressing play right after changing tabs
 * would send the new document with the old tab's operation name, and a subscription by HTTP.
 */
function operationOf({ query, operationName }) {
  let documentAST;
  try {
    documentAST = parse(query);
  } catch {
    return { operationName }; // the server says what is wrong with the document
  }
  const names = documentAST.definitions
    .filter(({ kind }) => kind === Kind.OPERATION_DEFINITION)
    .map(({ name }) => name?.value);
  return { operationName: names.includes(operationName) ? operationName : names[0], documentAST };
}

function webSocketAddress(path) {
  const address = new URL(path, window.location.href);
  address.protocol = address.protocol.replace('http', 'ws');
  return address.href;
}

function authorizationIn(headers = {}) {
  return Object.entries(headers).find(([name]) => name.toLowerCase() === 'authorization')?.[1];
}

/**
 * The response pane shows one value, so a stream would show only its last event: list the ones before it, too.
 *
 * An iterator by hand, for an async generator's `return()` waits for the event it is waiting for, and pressing
 * stop must end the subscription at once.
 */
function withEarlierEvents(events, ids) {
  const source = events[Symbol.asyncIterator]();
  let earlier = [];
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      const { done, value } = await source.next();
      if (done) return { done, value };
      ids.note(value.data);
      const shown = earlier.length > 0 ? { ...value, earlier } : value;
      earlier = [value.data, ...earlier].slice(0, EARLIER_EVENTS_SHOWN);
      return { done, value: shown };
    },
    return: () => source.return(),
  };
}
