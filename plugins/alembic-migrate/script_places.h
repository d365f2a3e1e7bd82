// Where migration scripts can be read from without running anything: an image, by way of a
// container that is created and never started; or folders of this machine.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "drydock/stage.hpp"
#include "migrator_service.h"
#include "script_search.h"

namespace drydock::alembic {

// The files of an image as the service's container would see them. In plan the answers are kept in
// planning_dir, by the id of the image: several stages may ask the same one. In other steps the
// container is noted before it is created, with the run's label.
class ImagePlace : public ScriptPlace {
 public:
  // Borrows both. The service's image has to be there.
  ImagePlace(const Call& call, const MigratorService& service) : call_(call), service_(service) {}
  ~ImagePlace() override;
  ImagePlace(const ImagePlace&) = delete;
  ImagePlace& operator=(const ImagePlace&) = delete;

  std::optional<ScriptFiles> files(const std::string& path) override;

 private:
  void refuse_mounted(const std::string& path) const;
  bool copy_out(const std::string& path, const std::string& archive);
  void create_container();
  Captured create() const;
  void remove_container() const;

  const Call& call_;
  const MigratorService& service_;
  std::string container_;  // its name; "": there is none yet
};

// The deployment's folders; in plan as they will be: with what earlier stages' plans left for them.
class LocalPlace : public ScriptPlace {
 public:
  explicit LocalPlace(const Call& call) : call_(call) {}
  std::optional<ScriptFiles> files(const std::string& path) override;

 private:
  const Call& call_;
};

}  // namespace drydock::alembic
