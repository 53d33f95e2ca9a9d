package io.sippbx.control.store;

import io.sippbx.control.loop.Loops;

class InMemoryCallStoreTest extends CallStoreContract {

  @Override
  CallStore<String> store(Loops loops) {
    return new InMemoryCallStore<>(loops);
  }
}
