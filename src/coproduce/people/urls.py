from django.urls import path

from coproduce.people import views

app_name = "people"
urlpatterns = [
    path("people/", views.people, name="people"),
    path("people/add/", views.add, name="add"),
    path("people/<int:pk>/", views.person, name="person"),
    path("people/<int:pk>/name/", views.name, name="name"),
    path("people/<int:pk>/how-often/", views.at_most, name="at_most"),
    path("people/<int:pk>/ways/add/", views.add_way, name="add_way"),
    path("people/<int:pk>/ways/<int:way>/prefer/", views.prefer_way, name="prefer_way"),
    path("people/<int:pk>/ways/<int:way>/share/", views.share_way, name="share_way"),
    path("people/<int:pk>/ways/<int:way>/start/", views.start_way, name="start_way"),
    path("people/<int:pk>/quiet/", views.quiet, name="quiet"),
    path("people/<int:pk>/ways/<int:way>/remove/", views.remove_way, name="remove_way"),
    path("people/<int:pk>/account/", views.account, name="account"),
    path("people/<int:pk>/account/away/", views.account_away, name="account_away"),
    path("people/<int:pk>/second-step/away/", views.second_step_away, name="second_step_away"),
    path("people/<int:pk>/roles/add/", views.join, name="join"),
    path("people/<int:pk>/roles/<int:membership>/end/", views.leave, name="leave"),
    path("people/<int:pk>/trust/", views.trust, name="trust"),
    path("people/<int:pk>/trust/<int:mandate>/", views.change_trust, name="change_trust"),
    path("people/<int:pk>/trust/<int:mandate>/end/", views.end_trust, name="end_trust"),
    path("supporting/", views.supporting, name="supporting"),
    path("supporting/add/", views.bring_in, name="bring_in"),
    path("supporting/<int:pk>/", views.supported, name="supported"),
    path("supporting/<int:pk>/stop/", views.stop_supporting, name="stop_supporting"),
    path("organisations/add/", views.add_organisation, name="add_organisation"),
    path("hubs/", views.hubs, name="hubs"),
    path("hubs/<int:pk>/quiet/", views.hub_quiet, name="hub_quiet"),
    path("hubs/<int:pk>/add/", views.add_hub, name="add_hub"),
]
