// The pages about models: the table, and the words of `explain`. Pure.
#pragma once
#include <string>

#include "cli/documents.h"
#include "cli/model_document.h"
#include "cli/style.h"

namespace estiva::cli {

std::string models_page(const ModelsDocument& document, const Style& style);
// For `status`: the policy that is really in force for each, and on battery which model keeps a GPU
// awake. Empty where there are none.
std::string models_in_status(const StatusDocument& document);
// All that is known of one model; who else is on the GPU and until when, and who waits for it.
std::string explain_model(const ModelsDocument& document, const ModelRow& model);
std::string explain_wait(const ModelsDocument& document, const WaitRow& wait);

}  // namespace estiva::cli
