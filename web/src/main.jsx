import './workers.js';
import { explorerPlugin } from '@graphiql/plugin-explorer';
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import { createRoot } from 'react-dom/client';
import 'graphiql/graphiql.css';
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import './page.css';
import { carriedIds } from './carried-ids.js';
import { createFetcher } from './fetcher.js';
import { ownStorage } from './own-storage.js';

const { endpoint, subscriptionEndpoint, tabs, headers } = JSON.parse(document.getElementById('scriptorium').textContent);

const fetcher = createFetcher({ endpoint, subscriptionEndpoint, ids: carriedIds(window.sessionStorage) });
const plugins = [HISTORY_PLUGIN, explorerPlugin()];

// Headers hold a token: they are never stored, and after a reload every tab gets the fresh ones as its default.
createRoot(document.getElementById('root')).render(
  <GraphiQL
    fetcher={fetcher}
    storage={ownStorage(window.localStorage, headers)}
    defaultTabs={tabs}
    defaultHeaders={headers}
    defaultEditorToolsVisibility="variables"
    inputValueDeprecation
    plugins={plugins}
    schemaDescription
    shouldPersistHeaders={false}
  >
    <GraphiQL.Logo>
      <span className="wordmark">Scriptorium</span>
    </GraphiQL.Logo>
  </GraphiQL>,
);
