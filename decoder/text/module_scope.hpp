// What the instructions and fields of one module see: its index spaces and its types.
#pragma once

#include "decoder/text/name_space.hpp"
#include "decoder/text/type_table.hpp"

namespace tfvm::text {

struct ModuleScope {
  TypeTable types;
  NameSpace functions{"func"};
  NameSpace tables{"table"};
  NameSpace memories{"memory"};
  NameSpace globals{"global"};
  NameSpace tags{"tag"};
  NameSpace elements{"elem"};
  NameSpace data{"data"};
  bool needs_data_count = false;  ///< an instruction names a data segment (section 5.5.16)
};

}  // namespace tfvm::text
